import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { circuitBreaker } from '../breaker/breaker.ts';
import type { CircuitStore } from '../breaker/shared/circuit-store.ts';
import { bulkhead } from '../bulkhead/bulkhead.ts';
import type { Policy } from '../policy.ts';
import { createRegistry, registry as processRegistry } from '../registry.ts';
import { retry } from '../retry/retry.ts';
import { record } from '../testing/record.ts';
import { VirtualClock } from '../testing/virtual-clock.ts';
import { timeout } from '../timeout/timeout.ts';
import { keyedPipeline } from './keyed-pipeline.ts';

describe('a keyed pipeline', () => {
  test('keeps the circuits of its keys apart', async () => {
    const { family, fail, state } = setUp();
    await fail('a.example');
    assert.deepEqual([state('a.example'), state('b.example')], ['open', undefined]);
    assert.equal(await family.execute(() => 'well', { key: 'b.example' }), 'well');
  });

  test('lets the key used longest ago go, and begins it anew', async () => {
    const { family, use, evicted, keys } = setUp({ maxKeys: 2 });
    for (const key of ['a', 'b', 'a', 'c']) await use(key);
    assert.deepEqual([keys(), evicted()], [['a', 'c'], 1]);
    await use('b');
    assert.deepEqual([keys(), evicted(), family.inspect().maxKeys], [['c', 'b'], 2, 2]);
  });

  test('rather lets a key go that nobody would miss than one with an open circuit or a call in flight', async () => {
    const { family, clock, use, fail, keys } = setUp({ maxKeys: 3 });
    await fail('open');
    const busy = family.execute(() => clock.sleep(100), { key: 'busy' });
    await use('idle');
    await use('new');
    assert.deepEqual(keys(), ['open', 'busy', 'new']);
    await clock.run(() => busy);
  });

  test('keeps a key of whose two circuits one is open', async () => {
    const tolerant = circuitBreaker({ name: 'tolerant', consecutiveFailures: 9 });
    const strict = circuitBreaker({ name: 'strict', consecutiveFailures: 1 });
    const { fail, use, keys } = setUp({ maxKeys: 2 }, [tolerant, strict]);
    await fail('troubled');
    await use('idle');
    await use('new');
    assert.deepEqual(keys(), ['troubled', 'new']);
  });

  test('spares keys in use, however many are older than one that is not', async () => {
    const family = keyedPipeline('busy', () => [bulkhead({ limit: 1 })], {
      maxKeys: 41,
      registry: undefined,
    });
    const release: (() => void)[] = [];
    const hold = (key: string) =>
      family.execute(() => new Promise<void>((resolve) => release.push(resolve)), { key });
    const held = Array.from({ length: 40 }, (_, n) => hold(`busy-${n}`));
    await family.execute(() => {}, { key: 'idle' });

    await family.execute(() => {}, { key: 'new' });
    const second = await hold('busy-0').catch((error: { code: string }) => error.code);
    const { keys } = family.inspect();
    for (const each of release) each();
    await Promise.all(held);

    assert.deepEqual([second, 'idle' in keys, 'new' in keys], ['BULKHEAD_FULL', false, true]);
  });

  test('goes on with the calls of keys that have long not been called, and keeps their places', async () => {
    const { family } = setUp({ maxKeys: 3_000 }, [bulkhead({ limit: 1 })]);
    const keys = Array.from({ length: 2_500 }, (_, n) => `host ${n}`);
    const release: (() => void)[] = [];
    const hold = () => new Promise<string>((resolve) => release.push(() => resolve('held')));
    const held = keys.map((key) => family.execute(hold, { key }));
    const refused = await Promise.all(
      keys.map((key) =>
        family.execute(hold, { key }).catch((error: { code: string }) => error.code),
      ),
    );
    for (const each of release) each();
    const all = [
      new Set(refused),
      new Set(await Promise.all(held)),
      new Set(await Promise.all(keys.map((key) => family.execute(() => 'again', { key })))),
    ];
    assert.deepEqual(all, [new Set(['BULKHEAD_FULL']), new Set(['held']), new Set(['again'])]);
  });

  test('makes the policies of a key where it is given a function', async () => {
    const limits: Record<string, number> = { slow: 500, fast: 50 };
    const { family, clock } = setUp({}, (key) => [timeout({ limitMs: limits[key] ?? 100 })]);
    const times: number[] = [];
    for (const key of ['slow', 'fast', 'other']) {
      const begunMs = clock.now();
      await clock.run(() => family.execute(() => new Promise(() => {}), { key }).catch(() => {}));
      times.push(clock.now() - begunMs);
    }
    assert.deepEqual(times, [500, 50, 100]);
  });

  test('keeps the circuits of its keys apart in a store that they share', async () => {
    const names = new Set<string>();
    const store: CircuitStore = {
      exchange(circuit) {
        names.add(circuit);
        return new Promise(() => {});
      },
    };
    const shared = circuitBreaker({ consecutiveFailures: 1, shared: { store } });
    const { clock, fail } = setUp({}, [shared]);
    await fail('a');
    await fail('b');
    await clock.advance(10_000);
    assert.deepEqual([...names], ['hosts/a/circuit', 'hosts/b/circuit']);
  });

  test('tells whose events they are, and is one row in the registry', async () => {
    const { events, fail, registry, use } = setUp();
    await fail('a');
    await use('b');
    assert.deepEqual(
      events.flatMap((event) =>
        event.type === 'circuit' ? [[event.pipeline, event.key, event.to]] : [],
      ),
      [['hosts', 'a', 'open']],
    );
    assert.deepEqual(
      [registry.list(), registry.families().map(({ name, keys }) => [name, Object.keys(keys)])],
      [[], [['hosts', ['a', 'b']]]],
    );
  });

  test('can be forced by key and as a whole', async () => {
    const { registry, use, state } = setUp();
    await use('a');
    await use('b');
    registry.force('hosts', 'forced-open', { key: 'a' });
    const one = [state('a'), state('b')];
    registry.force('hosts', 'disabled');
    assert.deepEqual(
      [one, state('a'), state('b')],
      [['forced-open', 'closed'], 'disabled', 'disabled'],
    );
    assert.throws(() => registry.force('hosts', 'closed', { key: 'nobody' }), {
      name: 'RangeError',
      message: 'force.pipeline "hosts" has no key "nobody" with a circuit breaker now.',
    });
  });

  test('swaps the policies of all keys and keeps their circuits', async () => {
    const { family, fail, state, use, keys } = setUp();
    await fail('a');
    await use('b');
    family.swap([retry(), circuitBreaker({ consecutiveFailures: 9 })]);
    assert.deepEqual([state('a', 1), state('b', 1), keys()], ['open', 'closed', ['a', 'b']]);
  });

  test('swaps by a function for each key, also for keys to come, and refuses a list that cannot be', async () => {
    const { family, use } = setUp();
    await use('a');
    family.swap((key) => [retry({ name: `retry of ${key}` })]);
    await use('b');
    const names = () =>
      Object.values(family.inspect().keys).map(({ policies }) => policies[0]?.name);
    assert.throws(() => family.swap([retry(), retry()]), RangeError);
    assert.deepEqual(names(), ['retry of a', 'retry of b']);
  });

  test('stays as it was, all of it, where a function has no list for one of the keys', async () => {
    const { family, use } = setUp({}, [retry({ name: 'first' })]);
    for (const key of ['a', 'b', 'c']) await use(key);
    const bad: ReadonlyArray<() => never> = [
      () => {
        throw new Error('not for this one');
      },
      () => [retry(), retry()] as never,
      () => undefined as never,
    ];
    for (const listFor of bad) {
      assert.throws(() =>
        family.swap((key) => (key === 'b' ? listFor() : [retry({ name: 'second' })])),
      );
    }
    await use('d');
    const names = Object.values(family.inspect().keys).map(({ policies }) => policies[0]?.name);
    assert.deepEqual(names, ['first', 'first', 'first', 'first']);
  });

  test('nobody has to go for a key that gets no pipeline', async () => {
    const none = (key: string) => {
      if (key === 'none') throw new Error('unknown host');
      return [retry()];
    };
    const family = keyedPipeline('hosts', none, { registry: undefined, maxKeys: 1 });
    await family.execute(() => 1, { key: 'a' });
    assert.throws(() => family.for('none'), /unknown host/);
    const { keys, evicted } = family.inspect();
    assert.deepEqual([Object.keys(keys), evicted], [['a'], 0]);
  });

  test('stays as it was where a swap is refused, for the keys it has and for those to come', async () => {
    const { family, use, keys } = setUp({}, [retry({ name: 'first' })]);
    assert.throws(() => family.swap([retry(), retry()]), RangeError);
    await use('a');
    assert.throws(() => family.swap([retry(), retry()]), RangeError);
    await use('b');
    const names = Object.values(family.inspect().keys).map(({ policies }) => policies[0]?.name);
    assert.deepEqual(
      [keys(), names],
      [
        ['a', 'b'],
        ['first', 'first'],
      ],
    );
  });

  test('gives the pipeline of a key, the same while it is kept, and not listed itself', () => {
    const { family, registry } = setUp();
    const a = family.for('a');
    assert.deepEqual(
      [family.for('a') === a, family.for('b') === a, a.name, registry.get('hosts')],
      [true, false, 'hosts', undefined],
    );
  });

  test('lets the one used longest ago go where the thousand used longest ago are all in use', async () => {
    const { family, keys, clock } = setUp({ maxKeys: 1_002 }, [bulkhead({ limit: 1 })]);
    const hold = (key: string) => family.execute(() => clock.sleep(10), { key });
    const held = Array.from({ length: 1_001 }, (_, n) => hold(`${n} busy`));
    await family.execute(() => 1, { key: 'idle' });
    await family.execute(() => 1, { key: 'new' });
    const after = keys();
    assert.deepEqual(
      [after.length, after.includes('0 busy'), after.includes('idle'), after[0]],
      [1_002, false, true, '1000 busy'],
    );
    await clock.run(() => Promise.all(held));
  });

  test('leaves the registry when it is disposed of', () => {
    const { family, registry } = setUp();
    family[Symbol.dispose]();
    assert.deepEqual(registry.families(), []);
    const ofProcess = keyedPipeline('of the process', []);
    const listed = () => processRegistry.families().some(({ name }) => name === 'of the process');
    assert.ok(listed());
    ofProcess[Symbol.dispose]();
    assert.ok(!listed());
    keyedPipeline('nowhere', [], { registry: undefined })[Symbol.dispose]();
  });

  test('refuses what cannot work, naming the culprit', async () => {
    assert.throws(() => keyedPipeline('', []), /keyedPipeline\.name/);
    assert.throws(() => keyedPipeline('p', [], { maxKeys: 0 }), {
      name: 'RangeError',
      message: 'keyedPipeline.maxKeys must be a whole number from 1 to 1000000, not 0.',
    });
    assert.throws(() => keyedPipeline('p', [retry(), retry()]), /names that differ within a kind/);
    const { family } = setUp();
    await assert.rejects(
      family.execute(() => 1, {} as never),
      {
        name: 'TypeError',
        message: 'execute.key must be a string in the keyed pipeline "hosts", not undefined.',
      },
    );
    await assert.rejects(
      family.execute(() => 1, undefined as never),
      /"hosts", not undefined/,
    );
  });
});

function setUp(
  options: { readonly maxKeys?: number } = {},
  policies: readonly Policy[] | ((key: string) => readonly Policy[]) = [
    circuitBreaker({ consecutiveFailures: 1 }),
  ],
) {
  const clock = new VirtualClock();
  const registry = createRegistry();
  const { events, listener } = record();
  const env = { clock, registry, report: listener, ...options };
  const family = keyedPipeline('hosts', policies, env);
  return {
    clock,
    events,
    family,
    registry,
    use: (key: string) => family.execute(() => undefined, { key }),
    fail: (key: string) =>
      family
        .execute(
          () => {
            throw new Error('down');
          },
          { key },
        )
        .catch(() => {}),
    state: (key: string, at = 0) => family.inspect().keys[key]?.policies[at]?.circuit?.state,
    keys: () => Object.keys(family.inspect().keys),
    evicted: () => family.inspect().evicted,
  };
}

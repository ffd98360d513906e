import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { describe, test } from 'node:test';
import { circuitBreaker } from '../breaker/breaker.ts';
import { bulkhead } from '../bulkhead/bulkhead.ts';
import { pipeline } from '../pipeline.ts';
import type { ExecuteOptions, Policy } from '../policy.ts';
import type { Random } from '../random.ts';
import { createRegistry } from '../registry.ts';
import { retry } from '../retry/retry.ts';
import { record } from '../testing/record.ts';
import { seededRandom } from '../testing/seeded-random.ts';
import { VirtualClock } from '../testing/virtual-clock.ts';
import { timeout } from '../timeout/timeout.ts';
import { fault } from './fault.ts';
import { isInjectedFault } from './injected.ts';
import type { FaultOptions, FaultTarget } from './options.ts';

describe('fault', () => {
  test('an error is the dependency’s to everybody but who asks, and circuits count it', async () => {
    const outside = [circuitBreaker({ consecutiveFailures: 2 })];
    const { call, p } = setUp({ inject: 'error', ratio: 1 }, { outside });
    const first = await call();
    await call();
    assert.deepEqual(
      [{ ...first.error }, String(first.error), isInjectedFault(first.error), first.ran],
      [{ code: 'ECONNRESET', syscall: 'read' }, 'Error: read ECONNRESET', true, 0],
    );
    // Whoever has another copy of this package knows it by the same mark.
    assert.ok(Symbol.for('holdfast.injected-fault') in first.error!);
    assert.equal(p.inspect().policies[0]?.circuit?.state, 'open');
    for (const real of [new Error('real'), null, undefined, 'text', 5]) {
      assert.equal(isInjectedFault(real), false);
    }
  });

  test('makes up whatever is asked for, also what cannot be marked', async () => {
    for (const made of ['text', null, undefined, 5, Object.freeze(new Error('frozen'))]) {
      for (const inside of [[], [bulkhead({ limit: 1 })]]) {
        const { call } = setUp({ inject: 'error', ratio: 1, error: () => made }, { inside });
        assert.equal((await call()).error, made);
      }
    }
  });

  test('latency comes before the function, a hang in place of it, a result as well', async () => {
    const late = await setUp({ inject: 'latency', ratio: 1, delayMs: 300 }).call();
    const hung = await setUp(
      { inject: 'hang', ratio: 1 },
      { inside: [], outside: [timeout({ limitMs: 200 })] },
    ).call();
    const wrong = await setUp({ inject: 'result', ratio: 1, result: () => 'wrong' }).call();
    assert.deepEqual(
      [
        late.value,
        late.tookMs,
        late.ran,
        hung.error?.code,
        hung.tookMs,
        hung.ran,
        wrong.value,
        wrong.ran,
      ],
      ['well', 300, 1, 'TIMED_OUT', 200, 0, 'wrong', 0],
    );
  });

  test('further out it stands for all that is inside it', async () => {
    const inside = [bulkhead({ limit: 1 })];
    const late = await setUp({ inject: 'latency', ratio: 1, delayMs: 300 }, { inside }).call();
    const refused = await setUp({ inject: 'error', ratio: 1 }, { inside }).call();
    const wrong = await setUp(
      { inject: 'result', ratio: 1, result: () => 'no' },
      { inside },
    ).call();
    assert.deepEqual([late.value, late.tookMs, refused.error?.code], ['well', 300, 'ECONNRESET']);
    assert.deepEqual([wrong.value, wrong.ran], ['no', 0]);
  });

  test('is an attempt where it is innermost, and none of its own further out', async () => {
    const attempts = async (options: FaultOptions, inside: readonly Policy[]) => {
      const { call, events } = setUp(options, { inside });
      await call();
      return events.flatMap((event) =>
        event.type === 'attempt' ? [`${event.outcome} ${event.durationMs}`] : [],
      );
    };
    const around = [bulkhead({ limit: 1 })];
    const late = { inject: 'latency', ratio: 1, delayMs: 300 } as const;
    assert.deepEqual(
      {
        latency: [await attempts(late, []), await attempts(late, around)],
        error: [
          await attempts({ inject: 'error', ratio: 1 }, []),
          await attempts({ inject: 'error', ratio: 1 }, around),
        ],
      },
      { latency: [['success 300'], ['success 0']], error: [['failure 0'], []] },
    );
  });

  test('draws its jitter from chance, and draws nothing where nothing is by chance', async () => {
    const late = { inject: 'latency', ratio: 1, delayMs: 100 } as const;
    const drawn = async (options: FaultOptions, next = 0.5) => {
      let draws = 0;
      const random = {
        next() {
          draws += 1;
          return next;
        },
      };
      const { error, tookMs } = await setUp(options, { random }).call();
      return [draws, tookMs, error?.code];
    };
    assert.deepEqual(
      [
        await drawn(late),
        await drawn({ ...late, jitterMs: 60 }),
        await drawn({ inject: 'error', ratio: 0.3 }, 0.3),
        await drawn({ inject: 'error', ratio: 0.3 }, 0.29),
      ],
      [
        [0, 100, undefined],
        [1, 130, undefined],
        [1, 0, undefined],
        [1, 0, 'ECONNRESET'],
      ],
    );
  });

  test('tells its gate which attempt of which call it is', async () => {
    const asked: FaultTarget[] = [];
    const enabled = (target: FaultTarget) => {
      asked.push(target);
      return true;
    };
    const outside = [retry({ maxRetries: 1, delayMs: 1, jitter: 'none' })];
    const { call } = setUp({ inject: 'error', ratio: 1, enabled }, { outside });
    await call({ key: 'a', cacheKey: 'b', criticality: 'sheddable' });
    const said = { key: 'a', cacheKey: 'b', criticality: 'sheddable' };
    assert.deepEqual(asked, [
      { ...said, attempt: 1 },
      { ...said, attempt: 2 },
    ]);
  });

  test('strikes by chance as often as it says, and only where its gate lets it', async () => {
    const some = setUp({ inject: 'error', ratio: 0.3 });
    let failed = 0;
    for (let n = 0; n < 1_000; n += 1) if ((await some.call()).error !== undefined) failed += 1;
    const gated = setUp({ inject: 'error', ratio: 1, enabled: ({ key }) => key === 'staging' });
    const codes = [];
    for (const key of ['staging', 'live']) codes.push((await gated.call({ key })).error?.code);
    const broken = setUp({
      inject: 'error',
      ratio: 1,
      enabled: () => {
        throw new Error('gate');
      },
    });
    assert.ok(failed > 250 && failed < 350, `${failed} of 1000`);
    assert.deepEqual([codes, (await broken.call()).value], [['ECONNRESET', undefined], 'well']);
  });

  test('expires, and lets go then of what it holds', async () => {
    const { call, clock, p } = setUp({ inject: 'hang', ratio: 1, forMs: 1_000 });
    const held = await call();
    const after = await call();
    assert.deepEqual(
      [held.value, held.tookMs, after.tookMs, p.inspect().policies.at(-1)?.fault],
      ['well', 1_000, 0, { inject: 'hang', ratio: 1, expiresInMs: 0, injected: 1, held: 0 }],
    );
    assert.equal(clock.pendingTimers, 0);
  });

  test('does not begin anew when something beside it is swapped', async () => {
    const policy = fault({ inject: 'error', ratio: 1, forMs: 1_000 });
    const clock = new VirtualClock();
    const p = pipeline('p', [policy], { clock });
    await clock.advance(900);
    await p.execute(() => 'well').catch(() => {});
    p.swap([retry({ maxRetries: 0 }), policy]);
    const kept = p.inspect().policies[1]?.fault;
    await clock.advance(200);
    assert.equal(await p.execute(() => 'well'), 'well');
    assert.deepEqual([kept?.injected, kept?.expiresInMs], [1, 100]);
    p.swap([fault({ inject: 'error', ratio: 1, forMs: 1_000 })]);
    const anew = p.inspect().policies[0]?.fault;
    assert.deepEqual([anew?.injected, anew?.expiresInMs], [0, 1_000]);
  });

  test('ends everywhere at once by the switch of the registry, and begins again by it', async () => {
    const { call, clock, p, registry } = setUp({ inject: 'hang', ratio: 1 });
    const begun = p.execute(() => 'well');
    await clock.advance(1);
    const held = p.inspect().policies[0]?.fault?.held;
    registry.faults.stop();
    const freed = await begun;
    const spared = await call();
    registry.faults.allow();
    const again = setUp({ inject: 'error', ratio: 1 }, { registry });
    assert.deepEqual(
      [held, freed, spared.value, spared.tookMs, (await again.call()).error?.code],
      [1, 'well', 'well', 0, 'ECONNRESET'],
    );
  });

  test('a caller that goes away is let go, and nothing is left', async () => {
    const { call, clock, p } = setUp({ inject: 'hang', ratio: 1 });
    const caller = new AbortController();
    const gone = call({ signal: caller.signal });
    caller.abort(new Error('gone'));
    const { error } = await gone;
    assert.deepEqual(
      [error?.message, p.inspect().policies[0]?.fault?.held, clock.pendingTimers],
      ['gone', 0, 0],
    );
  });

  test('leaves no listener on the signal of an attempt that it held up', async () => {
    const { clock, p } = setUp({ inject: 'latency', ratio: 1, delayMs: 50 });
    let signal: AbortSignal | undefined;
    await clock.run(() =>
      p.execute((call) => {
        signal = call.signal;
      }),
    );
    assert.equal(getEventListeners(signal!, 'abort').length, 0);
  });

  test('tells what it put in', async () => {
    const told = [];
    for (const inject of ['latency', 'error', 'result', 'hang'] as const) {
      const options = { inject, ratio: 1, forMs: 90, delayMs: 50, result: () => 1 } as FaultOptions;
      const { call, events } = setUp(options);
      await call();
      told.push(...events.flatMap((event) => (event.type === 'fault' ? [event] : [])));
    }
    assert.deepEqual(
      told.map(({ policy, fault: kind, ...event }) => [
        policy,
        kind,
        'delayMs' in event ? event.delayMs : 'no delay',
      ]),
      [
        ['fault', 'latency', 50],
        ['fault', 'error', 'no delay'],
        ['fault', 'result', 'no delay'],
        ['fault', 'hang', 'no delay'],
      ],
    );
  });

  test('refuses options that cannot work, naming the culprit', () => {
    const refused = (options: unknown) => {
      try {
        return fault(options as FaultOptions).name;
      } catch (error) {
        return String(error);
      }
    };
    assert.deepEqual(
      [
        { inject: 'chaos', ratio: 1 },
        { inject: 'error', ratio: 2 },
        { inject: 'error', ratio: 1, forMs: Infinity },
        { inject: 'latency', ratio: 1 },
        { inject: 'result', ratio: 1 },
      ].map(refused),
      [
        'RangeError: fault.inject must be one of error, latency, hang, result, not "chaos".',
        'RangeError: fault.ratio must be a number from 0 to 1, not 2.',
        'RangeError: fault.forMs must be a number from 1 to 86400000, not Infinity.',
        'RangeError: fault.delayMs must be a number from 0 to 2147483647, not undefined.',
        'TypeError: fault.result must be a function, not null.',
      ],
    );
  });
});

function setUp(
  options: FaultOptions,
  world: {
    readonly inside?: readonly Policy[];
    readonly outside?: readonly Policy[];
    readonly registry?: ReturnType<typeof createRegistry>;
    readonly random?: Random;
  } = {},
) {
  const {
    inside = [],
    outside = [],
    random = seededRandom(5),
    registry = createRegistry(),
  } = world;
  const clock = new VirtualClock();
  const { events, listener } = record();
  const p = pipeline('p', [...outside, fault(options), ...inside], {
    clock,
    random,
    registry,
    report: listener,
  });
  const call = async (said: ExecuteOptions<string> = {}) => {
    const begunMs = clock.now();
    let ran = 0;
    const outcome = await clock.run(() =>
      p
        .execute(() => {
          ran += 1;
          return 'well';
        }, said)
        .then(
          (value) => ({ value, error: undefined }),
          (error: Error & { code?: string }) => ({ value: undefined, error }),
        ),
    );
    return { ...outcome, ran, tookMs: clock.now() - begunMs };
  };
  return { call, clock, events, p, registry };
}

import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { describe, test } from 'node:test';
import { circuitBreaker } from '../breaker/breaker.ts';
import { fallback } from '../fallback/fallback.ts';
import { pipeline } from '../pipeline.ts';
import type { Call, Degraded, ExecuteOptions, Policy } from '../policy.ts';
import { createRegistry } from '../registry.ts';
import { retry } from '../retry/retry.ts';
import { record } from '../testing/record.ts';
import { VirtualClock } from '../testing/virtual-clock.ts';
import { deadline } from '../timeout/deadline.ts';
import { timeout } from '../timeout/timeout.ts';
import { cache } from './cache.ts';
import type { CacheOptions } from './options.ts';

const down = new Error('down');

/** Nothing here takes time, but an answer that never comes would be waited for without end. */
const BOUND = { timeout: 60_000 };

describe('cache', BOUND, () => {
  test('gives an answer again while it is fresh, and asks anew after that', async () => {
    const w = world([cache({ ttlMs: 100 })]);
    const seen = [await w.get('a'), await w.get('a'), await w.get('b')];
    await w.clock.advance(99);
    seen.push(await w.get('a'));
    await w.clock.advance(1);
    seen.push(await w.get('a'));
    assert.deepEqual(seen, ['a1', 'a1', 'b2', 'a1', 'a3']);
    assert.deepEqual(w.told(), ['miss', 'hit 0', 'miss', 'hit 99', 'miss']);
  });

  test('lets a call without a key pass by', async () => {
    const w = world([cache()]);
    assert.deepEqual(
      [await w.get(undefined), await w.get(undefined)],
      ['1', '2'].map((n) => `undefined${n}`),
    );
    assert.deepEqual(w.told(), []);
  });

  test('gives a stale answer at once and renews it behind the caller’s back, through what is inside', async () => {
    const w = world([cache({ ttlMs: 100, staleMs: 1_000 }), retry({ jitter: 'none' })]);
    await w.get('a');
    await w.clock.advance(200);
    w.failures = 1;
    w.takesMs = 50;
    assert.deepEqual([await w.now('a'), await w.now('a')], ['a1', 'a1']);
    await w.clock.advance(1_000);
    assert.equal(w.runs, 3, 'one refresh, whose first attempt failed');
    assert.deepEqual([await w.now('a'), w.told().at(-1)], ['a3', 'stale 700']);
  });

  test('a renewal goes on though the only one who waited for it has gone', async () => {
    const w = world([cache({ ttlMs: 100, staleMs: 100 })]);
    await w.get('a');
    await w.clock.advance(150);
    w.takesMs = 300;
    assert.equal(await w.now('a'), 'a1');
    await w.clock.advance(100);
    const caller = new AbortController();
    const waits = w.now('a', { signal: caller.signal });
    await w.clock.advance(10);
    caller.abort('gone');
    assert.equal(await waits, 'gone');
    await w.clock.advance(190);
    assert.deepEqual([await w.now('a'), w.runs, w.told().at(-1)], ['a2', 2, 'hit 0']);
  });

  test('asks again, and has its caller wait, when an answer is too stale', async () => {
    const w = world([cache({ ttlMs: 100, staleMs: 100 })]);
    await w.get('a');
    await w.clock.advance(200);
    assert.equal(await w.get('a'), 'a2');
  });

  test('gives the last good answer where the dependency fails, and says that it is degraded', async () => {
    const w = world([
      cache({ ttlMs: 100, staleIfErrorMs: 1_000 }),
      circuitBreaker({ consecutiveFailures: 1 }),
    ]);
    const how: unknown[] = [];
    const options = {
      onDegraded: (one: Degraded) => how.push(one.policy, one.kind, String(one.error)),
    };
    await w.get('a', options);
    await w.clock.advance(500);
    w.failures = Infinity;
    assert.deepEqual([await w.get('a', options), await w.get('a', options)], ['a1', 'a1']);
    assert.deepEqual(how, [
      ...['cache', 'cached', 'Error: down'],
      ...['cache', 'cached', 'CircuitOpenError: Circuit "circuit" is open. Try again in 10000 ms.'],
    ]);
    await w.clock.advance(600);
    assert.equal((await w.get('a', options)).code, 'CIRCUIT_OPEN');
    const calls = w.events.flatMap((e) => (e.type === 'call' ? [[e.degraded, e.attempts]] : []));
    assert.deepEqual(calls, [
      [false, 1],
      [true, 1],
      [true, 0],
      [false, 0],
    ]);
  });

  test('asks once for all who want the same at the same time', async () => {
    const w = world([cache()]);
    w.takesMs = 10;
    const answers = await w.clock.run(() => Promise.all(['a', 'b', 'a', 'a'].map((k) => w.now(k))));
    assert.deepEqual([answers, w.runs], [['a1', 'b2', 'a1', 'a1'], 2]);
    assert.deepEqual(w.told(), ['miss', 'miss', 'joined', 'joined']);
    const attempts = w.events.flatMap((e) => (e.type === 'call' ? [e.attempts] : []));
    assert.deepEqual(attempts, [1, 0, 0, 1], 'only those who asked have made attempts');
  });

  test('fails all who wait for an answer that does not come, and keeps nothing', async () => {
    const w = world([cache()]);
    w.takesMs = 10;
    w.failures = 1;
    const first = await w.clock.run(() => Promise.all([w.now('a'), w.now('a')]));
    assert.deepEqual([first, await w.get('a'), w.runs], [[down, down], 'a2', 2]);
  });

  test('goes on while one waits, whoever leaves, and is broken off when nobody does', async () => {
    for (const leaving of [[0], [1], [0, 1], [1, 0, 2]]) {
      const w = world([cache(), timeout({ limitMs: 5_000 })]);
      w.takesMs = 100;
      const callers = [0, 1, 2].map(() => new AbortController());
      const answers = callers.map(({ signal }) => w.now('a', { signal }));
      await w.clock.advance(10);
      for (const n of leaving) callers[n]!.abort(`caller ${n}`);
      await w.clock.advance(100);
      const expected = [0, 1, 2].map((n) => (leaving.includes(n) ? `caller ${n}` : 'a1'));
      assert.deepEqual(await Promise.all(answers), expected);
      assert.deepEqual(w.signals, leaving.length === 3 ? ['caller 2'] : []);
      assert.deepEqual([w.clock.pendingTimers, w.inFlight()], [0, 0]);
      for (const { signal } of callers) assert.equal(getEventListeners(signal, 'abort').length, 0);
      assert.equal(await w.get('a'), leaving.length === 3 ? 'a2' : 'a1');
    }
  });

  test('is not ended by the limits of one caller while another still has time', async () => {
    const w = world([deadline({ limitMs: 1_000 }), cache()]);
    w.takesMs = 300;
    const first = w.now('a', { deadlineMs: 100 });
    await w.clock.advance(50);
    const second = w.now('a');
    await w.clock.advance(300);
    assert.deepEqual([(await first).code, await second, w.runs], ['DEADLINE_EXCEEDED', 'a1', 1]);
  });

  test('has no part in whatever call comes after the one that asked', async () => {
    const w = world([
      deadline({ limitMs: 1_000 }),
      cache(),
      retry({ delayMs: 50, jitter: 'none' }),
    ]);
    w.takesMs = 150;
    w.failures = 1;
    const first = w.now('a', { deadlineMs: 100 });
    const second = w.now('a');
    await w.clock.advance(100);
    // It may be given the operation of the first, which is over, and has no time for a retry.
    const other = w.now('b', { deadlineMs: 60 });
    await w.clock.advance(500);
    const codes = [(await first).code, (await other).code];
    assert.deepEqual(codes, ['DEADLINE_EXCEEDED', 'DEADLINE_EXCEEDED']);
    assert.deepEqual([await second, w.runs], ['a3', 3]);
  });

  test('tells the function how much time the one who asked has left', async () => {
    const w = world([deadline({ limitMs: 1_000 }), cache()]);
    const left: number[] = [];
    w.look = (call) => left.push(call.remainingMs);
    await w.get('a', { deadlineMs: 400 });
    assert.deepEqual(left, [400]);
  });

  test('keeps the answers asked for last, as many as it may', async () => {
    const w = world([cache({ maxEntries: 2 })]);
    for (const key of ['a', 'b', 'a', 'c', 'a', 'b']) await w.get(key);
    assert.deepEqual(w.told(), ['miss', 'miss', 'hit 0', 'miss', 'hit 0', 'miss']);
    assert.deepEqual(w.snapshot(), { entries: 2, bytes: 0, fetching: 0 });
  });

  test('keeps no more bytes than it may', async () => {
    const sizeOf = (value: unknown) => Number(String(value).charAt(0));
    const w = world([cache({ maxBytes: 8, sizeOf })]);
    for (const key of ['3', '4', '5', '9', '5']) await w.get(key);
    assert.deepEqual(w.told(), ['miss', 'miss', 'miss', 'miss', 'hit 0']);
    assert.deepEqual(w.snapshot(), { entries: 1, bytes: 5, fetching: 0 });
  });

  test('remembers errors only where it was told to, and those that it was told to', async () => {
    const w = world([
      cache({ errorTtlMs: 100, ttlMs: 50, cacheErrorIf: (error) => error === down }),
    ]);
    w.failures = 1;
    assert.deepEqual([await w.get('a'), await w.get('a'), w.runs], [down, down, 1]);
    await w.clock.advance(100);
    assert.deepEqual([await w.get('a'), w.runs], ['a2', 2]);
    await w.clock.advance(50);
    w.error = new Error('other');
    w.failures = 1;
    assert.deepEqual([await w.get('a'), await w.get('a'), w.runs], [w.error, 'a4', 4]);
  });

  test('remembers an error beside the last good answer, and gives that if it may', async () => {
    const w = world([cache({ errorTtlMs: 100, ttlMs: 50, staleIfErrorMs: 500 })]);
    await w.get('a');
    await w.clock.advance(60);
    w.failures = Infinity;
    assert.deepEqual([await w.get('a'), await w.get('a'), w.runs], ['a1', 'a1', 2]);
  });

  test('does not keep what cacheIf does not want, nor what a fallback inside has made up', async () => {
    const picky = world([cache({ cacheIf: (value) => value !== 'a1' })]);
    assert.deepEqual(
      [await picky.get('a'), await picky.get('a'), await picky.get('a')],
      ['a1', 'a2', 'a2'],
    );
    const made = world([cache(), fallback({ steps: [{ kind: 'default', answer: () => 'none' }] })]);
    made.failures = 1;
    const kinds: string[] = [];
    const options = { onDegraded: ({ kind }: Degraded) => kinds.push(kind) };
    assert.deepEqual([await made.get('a', options), await made.get('a', options)], ['none', 'a2']);
    assert.deepEqual(kinds, ['default']);
  });

  test('gives each caller a copy of its own, where it knows how to make one', async () => {
    const clock = new VirtualClock();
    const p = pipeline('p', [cache({ clone: structuredClone })], { clock, registry: undefined });
    const get = () => p.execute(async () => ({ list: [1] }), { cacheKey: 'a' });
    const [first, second] = await clock.run(() => Promise.all([get(), get()]));
    first.list.push(2);
    assert.deepEqual([second, await get()], [{ list: [1] }, { list: [1] }]);
  });

  test('ends its calls with the error of a predicate that throws', async () => {
    for (const which of ['cacheIf', 'sizeOf', 'staleIf', 'clone'] as const) {
      const broken = () => {
        throw new Error('broken');
      };
      const w = world([cache({ ttlMs: 10, staleIfErrorMs: 1_000, [which]: broken })]);
      const first = await w.get('a');
      await w.clock.advance(10);
      w.failures = 1;
      const second = await w.get('a');
      assert.match(String(which === 'staleIf' ? second : first), /broken/, which);
      assert.deepEqual(w.snapshot().fetching, 0, which);
    }
  });

  test('ends its calls where sizeOf says no number: one made all other answers go, less than 0 let none go', async () => {
    for (const size of [Number.NaN, -1, '5', undefined]) {
      const w = world([cache({ maxBytes: 9, sizeOf: (() => size) as never })]);
      const said = `RangeError: cache.sizeOf must return a number of at least 0, not ${size}.`;
      assert.equal(String(await w.get('a')), said);
      assert.equal(w.snapshot().bytes, 0);
    }
  });

  test('answers at once where the function does', async () => {
    const p = pipeline('p', [cache()], { registry: undefined });
    let runs = 0;
    const get = () => p.execute(() => (runs += 1), { cacheKey: 'a' });
    assert.deepEqual([await get(), await get()], [1, 1]);
    const fail = () =>
      p.execute(
        () => {
          throw down;
        },
        { cacheKey: 'b' },
      );
    assert.equal(await fail().catch((error) => error), down);
  });

  test('breaks off a renewal that hangs, and does not begin more than it may', async () => {
    const w = world([
      cache({ ttlMs: 10, staleMs: 60_000, refreshTimeoutMs: 500, maxRefreshes: 2 }),
    ]);
    for (const key of ['a', 'b', 'c']) await w.get(key);
    await w.clock.advance(100);
    w.takesMs = Infinity;
    for (const key of ['a', 'b', 'c']) await w.now(key);
    assert.deepEqual([w.runs, w.snapshot().fetching], [5, 2]);
    await w.clock.advance(500);
    assert.deepEqual(w.signals, [
      'Error: A renewal took longer than 500 ms.',
      'Error: A renewal took longer than 500 ms.',
    ]);
    w.takesMs = 0;
    await w.now('a');
    await w.clock.advance(1);
    assert.deepEqual([await w.now('a'), w.clock.pendingTimers], ['a6', 0]);
  });

  test('keeps its answers, and those who wait, over a swap', async () => {
    const w = world([cache({ maxEntries: 3 })]);
    for (const key of ['a', 'b', 'c']) await w.get(key);
    w.takesMs = 50;
    const waiting = w.now('d');
    w.p.swap([cache({ maxEntries: 2 })]);
    const joined = w.now('d');
    await w.clock.advance(50);
    assert.deepEqual(
      [await waiting, await joined, await w.get('c'), w.runs],
      ['d4', 'd4', 'c3', 4],
    );
    assert.equal(w.snapshot().entries, 2);
  });

  test('says what it does', () => {
    const { words, worstCaseMs } = world([
      cache({ ttlMs: 5, staleMs: 6, staleIfErrorMs: 7, errorTtlMs: 8 }),
      timeout({ limitMs: 100 }),
    ]).p.explain();
    assert.equal(worstCaseMs, 100);
    assert.equal(
      words[1],
      '"cache" gives answers again for 5 ms, for 6 ms more while it renews them, for 7 ms more where the call fails, gives errors again for 8 ms; calls with one key wait for one answer.',
    );
  });

  test('refuses options that cannot work, naming the culprit', () => {
    const refused = (options: unknown) => {
      try {
        return cache(options as CacheOptions).name;
      } catch (error) {
        return String(error);
      }
    };
    assert.deepEqual(
      [{ ttlMs: -1 }, { maxEntries: 0 }, { maxBytes: 5 }, { staleIf: 1 }, { store: {} }].map(
        refused,
      ),
      [
        'RangeError: cache.ttlMs must be a number from 0 to 2147483647, not -1.',
        'RangeError: cache.maxEntries must be a whole number from 1 to 10000000, not 0.',
        'TypeError: cache.sizeOf must be a function beside maxBytes, not undefined.',
        'TypeError: cache.staleIf must be a function, not 1.',
        'TypeError: cache.store.get must be a function, not null.',
      ],
    );
  });
});

/** A pipeline in virtual time before a dependency that answers its key and how often it was asked. */
function world(policies: readonly Policy[]) {
  const clock = new VirtualClock();
  const { events, listener } = record();
  const p = pipeline('p', policies, { clock, registry: createRegistry(), report: listener });
  const w = {
    p,
    clock,
    events,
    runs: 0,
    /** Calls that fail from now on. */
    failures: 0,
    error: down as unknown,
    takesMs: 0,
    signals: [] as string[],
    look: (_call: Call): unknown => undefined,
    /** A call, whose result or error is given; the clock stands still. */
    // biome-ignore lint/suspicious/noExplicitAny: answers and errors are looked at alike
    now: (cacheKey: string | undefined, options: ExecuteOptions = {}): Promise<any> =>
      p
        .execute(
          async (call) => {
            w.runs += 1;
            const run = w.runs;
            w.look(call);
            call.signal.addEventListener('abort', () => w.signals.push(String(call.signal.reason)));
            const fails = w.failures > 0;
            w.failures -= 1;
            if (w.takesMs === Infinity) await new Promise(() => {});
            if (w.takesMs > 0) await clock.sleep(w.takesMs, call.signal);
            if (fails) throw w.error;
            return `${cacheKey}${run}`;
          },
          cacheKey === undefined ? options : { ...options, cacheKey },
        )
        .catch((error: unknown) => error),
    /** The same, with time going on until it ends. */
    get: (cacheKey: string | undefined, options?: ExecuteOptions) =>
      clock.run(() => w.now(cacheKey, options)),
    told: () =>
      events.flatMap((e) =>
        e.type === 'cache' ? [e.ageMs === undefined ? e.result : `${e.result} ${e.ageMs}`] : [],
      ),
    inFlight: () => p.inspect().inFlight,
    snapshot: () => p.inspect().policies.find(({ kind }) => kind === 'cache')!.cache!,
  };
  return w;
}

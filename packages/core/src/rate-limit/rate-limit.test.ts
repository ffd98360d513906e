import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { circuitBreaker } from '../breaker/breaker.ts';
import { pipeline } from '../pipeline.ts';
import type { Policy } from '../policy.ts';
import { retry } from '../retry/retry.ts';
import { record } from '../testing/record.ts';
import { VirtualClock } from '../testing/virtual-clock.ts';
import { memoryRateStore } from './memory-rate-store.ts';
import type { RateLimitOptions } from './options.ts';
import { rateLimit } from './rate-limit.ts';
import type { RateAnswer, RateRule, RateStore } from './rate-store.ts';

describe('rateLimit', () => {
  test('refuses what is beyond the rate and says when there is a turn', async () => {
    const { p, refusals, clock } = setUp({ limit: 2, intervalMs: 1_000 });
    await p.execute(() => 1);
    await p.execute(() => 2);
    const third = await refusals();
    await clock.advance(499);
    const early = await refusals();
    await clock.advance(1);
    assert.deepEqual(
      [third, early, await p.execute(() => 'in')],
      [
        [
          'RATE_LIMITED',
          500,
          'Rate limit "rateLimit" of 2 calls in 1000 ms is used up. Try again in 500 ms.',
        ],
        [
          'RATE_LIMITED',
          1,
          'Rate limit "rateLimit" of 2 calls in 1000 ms is used up. Try again in 1 ms.',
        ],
        'in',
      ],
    );
  });

  test('has calls wait for their turn, in order, and refuses those that would wait too long', async () => {
    const { p, clock, events } = setUp({ limit: 10, burst: 1, maxWaitMs: 250 });
    await clock.advance(5_000);
    const began: unknown[] = [];
    await clock.run(() =>
      Promise.all(
        [0, 1, 2, 3, 4].map((n) =>
          p
            .execute(() => began.push([n, clock.now() - 5_000]))
            .catch(({ retryAfterMs }) => began.push([n, `refused, ${retryAfterMs}`])),
        ),
      ),
    );
    assert.deepEqual(began, [
      [0, 0],
      [3, 'refused, 300'],
      [4, 'refused, 300'],
      [1, 100],
      [2, 200],
    ]);
    assert.deepEqual(
      events.flatMap((event) =>
        event.type === 'queued' ? [[event.waitedMs, event.admitted, event.depth]] : [],
      ),
      [
        [100, true, 1],
        [200, true, 0],
      ],
    );
    assert.ok(!events.some(({ type }) => type === 'store-failed'), 'there is no store');
  });

  test('gives the turn of a caller that goes away to the next', async () => {
    const { p, clock } = setUp({ limit: 1, maxWaitMs: 5_000 });
    const caller = new AbortController();
    const times: number[] = [];
    await clock.run(async () => {
      await p.execute(() => times.push(clock.now()));
      const gone = p.execute(() => times.push(-1), { signal: caller.signal }).catch(() => {});
      await clock.sleep(10);
      caller.abort();
      await gone;
      await p.execute(() => times.push(clock.now()));
    });
    assert.deepEqual([times, clock.pendingTimers], [[0, 1_000], 0]);
  });

  test('moves those up who wait behind others that go away: the turns of these went unused, and later ones were given twice', async () => {
    for (const algorithm of ['token-bucket', 'sliding-window'] as const) {
      const { p, clock } = setUp({ limit: 1, intervalMs: 100, maxWaitMs: 60_000, algorithm });
      const caller = new AbortController();
      const began: string[] = [];
      const call = (who: string, signal?: AbortSignal) =>
        p.execute(() => began.push(`${who} ${clock.now()}`), { signal }).catch(() => {});
      await clock.run(async () => {
        const calls = [call('first'), call('leaves', caller.signal), call('leaves', caller.signal)];
        calls.push(call('stays'), call('stays'));
        await clock.sleep(50);
        caller.abort();
        calls.push(call('comes'), call('comes'));
        await Promise.all(calls);
      });
      assert.deepEqual(began, ['first 0', 'stays 100', 'stays 200', 'comes 300', 'comes 400']);
    }
  });

  test('counts who waits over a swap, whatever the new rate', async () => {
    const { p, clock } = setUp({ limit: 1, maxWaitMs: 5_000 });
    await p.execute(() => 'in');
    const waits = p.execute(() => 'waited');
    p.swap([rateLimit({ limit: 7 })]);
    const before = p.inspect().policies[0]?.rate;
    assert.equal(await clock.run(() => waits), 'waited');
    assert.deepEqual(
      [before, p.inspect().policies[0]?.rate],
      [
        { keys: 0, waiting: 1 },
        { keys: 0, waiting: 0 },
      ],
    );
  });

  test('tells of a wait that its caller ended, and waits for nobody then', async () => {
    const { p, clock, waits } = setUp({ limit: 1, maxWaitMs: 5_000 });
    const caller = new AbortController();
    await clock.advance(2_000);
    await p.execute(() => 'in');
    const gone = p.execute(() => 'in', { signal: caller.signal }).catch(() => 'gone');
    const stays = p.execute(() => clock.now());
    await clock.advance(300);
    const before = p.inspect().policies[0]?.rate;
    caller.abort();
    const after = p.inspect().policies[0]?.rate;
    assert.deepEqual(
      [await gone, await clock.run(() => stays), before, after],
      ['gone', 3_000, { keys: 1, waiting: 2 }, { keys: 1, waiting: 1 }],
    );
    assert.deepEqual(waits(), [
      { waitedMs: 300, admitted: false, depth: 1 },
      { waitedMs: 1_000, admitted: true, depth: 0 },
    ]);
  });

  test('takes no turn back from a call that has had it, whoever ends that', async () => {
    const { p, clock, refusals, waits } = setUp({ limit: 1, maxWaitMs: 5_000 });
    const caller = new AbortController();
    const hangs = () => new Promise(() => {});
    const running = p.execute(hangs, { signal: caller.signal }).catch(() => 'gone');
    caller.abort();
    assert.deepEqual([await running, waits()], ['gone', []]);
    const next = p.execute(() => clock.now());
    assert.deepEqual(
      [await clock.run(() => next), await clock.run(() => refusals())],
      [1_000, undefined],
    );
    assert.equal(clock.now(), 2_000);
  });

  test('keeps a rate for each key, and forgets the least used of too many', async () => {
    const { p, refusals } = setUp({ limit: 1, maxKeys: 2 });
    const codes: unknown[] = [];
    for (const key of ['a', 'b', 'a', 'b', 'c', 'b', 'a']) codes.push((await refusals(key))?.[0]);
    // `a` went when `c` came, and begins anew.
    assert.deepEqual(codes, [
      undefined,
      undefined,
      'RATE_LIMITED',
      'RATE_LIMITED',
      undefined,
      'RATE_LIMITED',
      undefined,
    ]);
    assert.deepEqual(p.inspect().policies[0]?.rate, { keys: 2, waiting: 0 });
  });

  test('a sliding window lets no second hold more than it may', async () => {
    const { p, clock } = setUp({ limit: 3, algorithm: 'sliding-window' });
    const admitted: number[] = [];
    for (let n = 0; n < 300; n += 1) {
      await p.execute(() => admitted.push(clock.now())).catch(() => {});
      await clock.advance(10);
    }
    for (const at of admitted) {
      assert.ok(admitted.filter((other) => other >= at && other < at + 1_000).length <= 3);
    }
    assert.equal(admitted.length, 9);
  });

  test('of a thousand callers at once lets in just as many as it may', async () => {
    const { p } = setUp({ limit: 100 });
    const outcomes = await Promise.allSettled(
      Array.from({ length: 1_000 }, () => p.execute(() => 'in')),
    );
    assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 100);
  });

  test('a retry around it waits as long as it says, a circuit around it does not mind', async () => {
    const outside = [
      retry({
        jitter: 'none',
        maxRetries: 1,
        delayHint: ({ error }) => (error as { retryAfterMs?: number }).retryAfterMs,
      }),
      circuitBreaker({ consecutiveFailures: 1 }),
    ];
    const { p, clock } = setUp({ limit: 1 }, outside);
    await p.execute(() => 1);
    assert.equal(await clock.run(() => p.execute(() => clock.now())), 1_000);
    assert.equal(p.inspect().policies[1]?.circuit?.state, 'closed');
  });

  test('a swap keeps what was used of the same rate', async () => {
    const { p, refusals } = setUp({ limit: 1 });
    await p.execute(() => 1);
    p.swap([rateLimit({ limit: 1, maxWaitMs: 0 })]);
    const kept = (await refusals())?.[0];
    p.swap([rateLimit({ limit: 2 })]);
    assert.deepEqual(
      [kept, await p.execute(() => 'another rate')],
      ['RATE_LIMITED', 'another rate'],
    );
  });

  test('refuses options that cannot work, naming the culprit', () => {
    const refused = (options: unknown) => {
      try {
        return rateLimit(options as RateLimitOptions).name;
      } catch (error) {
        return String(error);
      }
    };
    assert.deepEqual(
      [
        {},
        { limit: 0 },
        { limit: 20_000, algorithm: 'sliding-window' },
        { limit: 1, algorithm: 'leaky' },
        { limit: 1, warmUpMs: 10, algorithm: 'sliding-window' },
        { limit: 1, warmUpMs: 10, store: memoryRateStore() },
        { limit: 1, store: {} },
        { limit: 1, maxWaitMs: Number.NaN },
      ].map(refused),
      [
        'RangeError: rateLimit.limit must be a whole number from 1 to 1000000, not undefined.',
        'RangeError: rateLimit.limit must be a whole number from 1 to 1000000, not 0.',
        'RangeError: rateLimit.limit must be a whole number from 1 to 10000, not 20000.',
        'RangeError: rateLimit.algorithm must be one of token-bucket, sliding-window, not "leaky".',
        'RangeError: rateLimit.warmUpMs must be 0 for a sliding-window: it has no rate to raise.',
        'RangeError: rateLimit.warmUpMs must be 0 beside a store: each process warms up alone.',
        'TypeError: rateLimit.store must have a method take.',
        'RangeError: rateLimit.maxWaitMs must be a number from 0 to 2147483647, not NaN.',
      ],
    );
  });
});

describe('rateLimit over a store', () => {
  test('two pipelines share one rate', async () => {
    const clock = new VirtualClock();
    const store = memoryRateStore({ clock });
    const [a, b] = ['a', 'b'].map((name) =>
      pipeline(name, [rateLimit({ limit: 3, store })], { clock }),
    );
    const outcomes = await clock.run(() =>
      Promise.allSettled([a!, b!, a!, b!, a!].map((p) => p.execute(() => 'in'))),
    );
    assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 3);
  });

  test('a store in memory keeps each key and each rule apart, and forgets the least used of too many', async () => {
    const clock = new VirtualClock();
    const store = memoryRateStore({ clock, maxKeys: 2 });
    const one = { limit: 1, intervalMs: 1_000, burst: 1, maxWaitMs: 0, algorithm: 'token-bucket' };
    const taken: boolean[] = [];
    for (const [key, rule] of [
      ['a', {}],
      ['a', {}],
      ['b', {}],
      ['b', { limit: 2 }],
      ['a', {}],
    ] as const) {
      taken.push((await store.take(key, { ...one, ...rule } as RateRule)).taken);
    }
    // The last is a new one again: two others have been asked for since.
    assert.deepEqual(taken, [true, false, true, true, true]);
  });

  test('a store that is down, or too slow, or throws leaves the decision to this process, and is told of', async () => {
    const stores: RateStore[] = [
      { take: () => Promise.reject(new Error('gone')) },
      { take: () => new Promise(() => {}) },
      {
        take() {
          throw new Error('no promise at all');
        },
      },
    ];
    const seen: unknown[] = [];
    for (const store of stores) {
      const { p, clock, events } = setUp({ limit: 1, store, storeTimeoutMs: 30 });
      const first = await clock.run(() => p.execute(() => clock.now()));
      const second = await clock.run(() => p.execute(() => 'in').catch(({ code }) => code));
      const failed = events.filter((event) => event.type === 'store-failed');
      seen.push([first, second, failed.map(({ error }) => (error as Error).message)]);
      assert.equal(clock.pendingTimers, 0);
    }
    assert.deepEqual(seen, [
      [0, 'RATE_LIMITED', ['gone', 'gone']],
      [30, 'RATE_LIMITED', ['no answer within 30 ms', 'no answer within 30 ms']],
      [0, 'RATE_LIMITED', ['no promise at all', 'no promise at all']],
    ]);
  });

  test('has a call wait as long as the store says, and tells of that wait alone', async () => {
    const asked: unknown[] = [];
    const waitsMs = [0, 100, 200];
    const store: RateStore = {
      async take(key, { limit, intervalMs, maxWaitMs }) {
        asked.push([key, limit, intervalMs, maxWaitMs]);
        return { taken: true, waitMs: waitsMs.shift()! };
      },
    };
    const { p, clock, waits } = setUp({ limit: 10, maxWaitMs: 500, store });
    await clock.advance(1_000);
    const caller = new AbortController();
    const began: number[] = [];
    const run = (options: object) => p.execute(() => began.push(clock.now()), options);
    const calls = [run({}), run({ key: 'a' }), run({ signal: caller.signal }).catch(() => {})];
    await clock.advance(150);
    caller.abort();
    await Promise.all(calls);
    assert.deepEqual(asked, [
      ['rateLimit ', 10, 1_000, 500],
      ['rateLimit a', 10, 1_000, 500],
      ['rateLimit ', 10, 1_000, 500],
    ]);
    assert.deepEqual(
      [began, waits(), p.inspect().policies[0]?.rate],
      [
        [1_000, 1_100],
        [
          { waitedMs: 100, admitted: true, depth: 1 },
          { waitedMs: 150, admitted: false, depth: 0 },
        ],
        // The store keeps the rates; none is begun here.
        { keys: 0, waiting: 0 },
      ],
    );
  });

  test('an answer that comes too late touches neither its call nor the next', async () => {
    const answers: ((answer: RateAnswer | Promise<never>) => void)[] = [];
    const store: RateStore = { take: () => new Promise((resolve) => answers.push(resolve)) };
    const { p, clock, events } = setUp({ limit: 100, store, storeTimeoutMs: 30 });
    const failures = () => events.filter(({ type }) => type === 'store-failed').length;
    const caller = new AbortController();
    const runs: string[] = [];
    await clock.run(async () => {
      const gone = p.execute(() => runs.push('gone'), { signal: caller.signal }).catch(() => {});
      await clock.sleep(5);
      caller.abort();
      await gone;
      await p.execute(() => runs.push('late'));
      const next = p.execute(() => runs.push('next'));
      answers[0]!(Promise.reject(new Error('gone')));
      answers[1]!({ taken: false, waitMs: 9 });
      await clock.sleep(1);
      assert.deepEqual(runs, ['late']);
      answers[2]!({ taken: true, waitMs: 0 });
      await next;
    });
    assert.equal(failures(), 1, 'of the one that was too late');
    assert.deepEqual([runs, p.inspect().inFlight, clock.pendingTimers], [['late', 'next'], 0, 0]);
  });
});

function setUp(options: RateLimitOptions, outside: readonly Policy[] = []) {
  const clock = new VirtualClock();
  const { events, listener } = record();
  const p = pipeline('p', [...outside, rateLimit(options)], { clock, report: listener });
  const refusals = (key?: string) =>
    p
      .execute(() => undefined, key === undefined ? {} : { key })
      .catch(({ code, retryAfterMs, message }) => [code, retryAfterMs, message]);
  const waits = () =>
    events.flatMap((event) => {
      if (event.type !== 'queued') return [];
      const { waitedMs, admitted, depth } = event;
      return [{ waitedMs, admitted, depth }];
    });
  return { clock, events, p, refusals, waits };
}

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { adaptiveLimit } from '../adaptive-limit/adaptive-limit.ts';
import { circuitBreaker } from '../breaker/breaker.ts';
import { retryBudget } from '../budget/retry-budget.ts';
import { bulkhead } from '../bulkhead/bulkhead.ts';
import { cache } from '../cache/cache.ts';
import { fallback } from '../fallback/fallback.ts';
import { fault } from '../fault/fault.ts';
import { hedge } from '../hedge/hedge.ts';
import { pipeline } from '../pipeline.ts';
import type { Policy } from '../policy.ts';
import { memoryRateStore } from '../rate-limit/memory-rate-store.ts';
import { rateLimit } from '../rate-limit/rate-limit.ts';
import { retry } from '../retry/retry.ts';
import { shed } from '../shed/shed.ts';
import { throttle } from '../throttle/throttle.ts';
import { deadline } from '../timeout/deadline.ts';
import { timeout } from '../timeout/timeout.ts';

const budget = retryBudget({ name: 'shared' });
const f = { ratio: 0.5, minimumCalls: 20, windowCalls: 100 };
const store = { get: async () => undefined, set: async () => {}, delete: async () => {} };

type Told = readonly [
  kind: string,
  maxAttempts: number,
  worstCaseMs: number,
  words: string,
  ...refusals: string[],
];

/** What each policy makes of an attempt that takes 100 ms at most. */
const TOLD: readonly (readonly [Policy, Told])[] = [
  [
    retry({ maxRetries: 1, delayMs: 100, jitter: 'none', budget }),
    [
      'retry',
      2,
      300,
      'tries again up to 1 times and waits up to 100 ms between them in all, within the budget "shared".',
    ],
  ],
  [retry({ maxRetries: Infinity }), ['retry', Infinity, Infinity, 'tries again without end.']],
  [
    retry({ maxRetries: 2, backoff: 'decorrelated', delayMs: 10, maxDelayMs: 500 }),
    ['retry', 3, 1300, 'tries again up to 2 times and waits up to 1000 ms between them in all.'],
  ],
  [
    retry({ maxRetries: 2, backoff: () => 5, maxDelayMs: 500 }),
    ['retry', 3, 1300, 'tries again up to 2 times and waits up to 1000 ms between them in all.'],
  ],
  [
    retry({ maxRetries: 2, backoff: 'constant', delayMs: 100, jitter: { addedMs: 1000 } }),
    ['retry', 3, 2500, 'tries again up to 2 times and waits up to 2200 ms between them in all.'],
  ],
  [
    retry({ maxRetries: 1002, backoff: 'linear', delayMs: 1, maxDelayMs: 20000 }),
    [
      'retry',
      1003,
      602806,
      'tries again up to 1002 times and waits up to 502506 ms between them in all.',
    ],
  ],
  [timeout({ limitMs: 300 }), ['timeout', 1, 100, 'ends what is inside it after 300 ms.']],
  [
    timeout({ limitMs: 300, limitFor: () => 5 }),
    ['timeout', 1, 100, 'ends what is inside it after 300 ms or sooner, as `limitFor` says.'],
  ],
  [deadline({ limitMs: 150 }), ['deadline', 1, 100, 'ends the whole of it after 150 ms.']],
  [
    circuitBreaker({ openFactor: 2, openMaxMs: 60_000, openJitter: 0.1, halfOpenPermits: 3 }),
    [
      'circuitBreaker',
      1,
      100,
      'refuses calls for 10000 ms, growing to 60000 ms, ± 10 % after 5 failures in a row.',
      'CIRCUIT_OPEN for 10000 ms, growing to 60000 ms, ± 10 % after 5 failures in a row',
      'CIRCUIT_BUSY after that, while 3 probes are running',
    ],
  ],
  [
    circuitBreaker({
      consecutiveFailures: false,
      slowCalls: { ...f, slowCallMs: 400 },
      trip: () => true,
      openMaxMs: 10_000,
      openFactor: 2,
    }),
    [
      'circuitBreaker',
      1,
      100,
      'refuses calls for 10000 ms after 50 % taking 400 ms or longer of at least 20 calls of the last 100 or its trip rule.',
      'CIRCUIT_OPEN for 10000 ms after 50 % taking 400 ms or longer of at least 20 calls of the last 100 or its trip rule',
      'CIRCUIT_BUSY after that, while 1 probe is running',
    ],
  ],
  [
    circuitBreaker({ observe: true }),
    [
      'circuitBreaker',
      1,
      100,
      'refuses nothing, and says what it would refuse: calls for 10000 ms after 5 failures in a row.',
    ],
  ],
  [
    bulkhead({ limit: 5 }),
    [
      'bulkhead',
      1,
      100,
      'runs 5 calls at a time and refuses others.',
      'BULKHEAD_FULL while 5 calls are running',
    ],
  ],
  [
    bulkhead({ limit: 5, queueLimit: 2, queueTimeoutMs: Infinity }),
    [
      'bulkhead',
      1,
      Infinity,
      'runs 5 calls at a time, lets 2 more wait up to Infinity ms, and refuses others.',
      'BULKHEAD_FULL while 5 calls are running and 2 wait',
    ],
  ],
  [
    hedge({ delayMs: 50, maxHedges: 2, budget }),
    [
      'hedge',
      3,
      200,
      'sends up to 2 more after 50 ms, within the budget "shared", and takes the first answer; calls that are not idempotent are sent once.',
    ],
  ],
  [
    hedge(),
    [
      'hedge',
      2,
      200,
      'sends up to 1 more later than 95 % of the last calls took, and takes the first answer; calls that are not idempotent are sent once.',
    ],
  ],
  [
    rateLimit({ limit: 10 }),
    [
      'rateLimit',
      1,
      100,
      'lets 10 calls in 1000 ms through, and refuses others.',
      'RATE_LIMITED beyond 10 calls in 1000 ms',
    ],
  ],
  [
    rateLimit({ limit: 10, intervalMs: 500, burst: 20, maxWaitMs: 70, warmUpMs: 1000 }),
    [
      'rateLimit',
      1,
      170,
      'lets 10 calls in 500 ms through, has others wait up to 70 ms.',
      'RATE_LIMITED beyond 10 calls in 500 ms',
    ],
  ],
  [
    rateLimit({
      limit: 10,
      algorithm: 'sliding-window',
      store: memoryRateStore(),
      storeTimeoutMs: 40,
    }),
    [
      'rateLimit',
      1,
      140,
      'lets 10 calls in 1000 ms through, shared with other processes, and refuses others.',
      'RATE_LIMITED beyond 10 calls in 1000 ms',
    ],
  ],
  [
    adaptiveLimit(),
    [
      'adaptiveLimit',
      1,
      100,
      'runs 20 to 200 calls at a time, as gradient2 finds, and refuses others.',
      'LIMIT_EXCEEDED beyond 20 to 200 calls at a time',
    ],
  ],
  [
    adaptiveLimit({
      algorithm: 'aimd',
      queueLimit: 3,
      queueTimeoutMs: 70,
      shares: { critical: 0.5 },
    }),
    [
      'adaptiveLimit',
      1,
      170,
      'runs 20 to 200 calls at a time, as aimd finds, lets 3 more wait up to 70 ms, and refuses others.',
      'LIMIT_EXCEEDED beyond 20 to 200 calls at a time',
      'QUEUE_TIMED_OUT after 70 ms in the queue',
    ],
  ],
  [
    throttle({ k: 1.5 }),
    [
      'throttle',
      1,
      100,
      'sends about 1.5 times as many calls as are accepted, and refuses others.',
      'THROTTLED by chance, the more so the fewer calls are accepted: less than one in 1.5',
    ],
  ],
  [
    shed(),
    [
      'shed',
      1,
      100,
      'refuses calls under overload: sheddable from a load of 50, sheddable-plus from a load of 100, critical from a load of 250.',
      'SHED sheddable from a load of 50, sheddable-plus from a load of 100, critical from a load of 250',
    ],
  ],
  [
    shed({ bbr: true, from: { critical: Infinity } }),
    [
      'shed',
      1,
      100,
      'refuses calls under overload: sheddable from a load of 50, sheddable-plus from a load of 100, all but critical-plus beyond what it can take.',
      'SHED sheddable from a load of 50, sheddable-plus from a load of 100, all but critical-plus beyond what it can take',
    ],
  ],
  [
    cache(),
    ['cache', 1, 100, 'gives answers again for 60000 ms; calls with one key wait for one answer.'],
  ],
  [
    cache({ staleMs: 10, staleIfErrorMs: 20, errorTtlMs: 30, store, storeTimeoutMs: 40 }),
    [
      'cache',
      1,
      140,
      'gives answers again for 60000 ms, for 10 ms more while it renews them, for 20 ms more where the call fails, gives errors again for 30 ms; calls with one key wait for one answer.',
    ],
  ],
  [
    fallback({ steps: [() => 1, () => 2] }),
    [
      'fallback',
      1,
      Infinity,
      'answers for a call that fails, in up to 2 steps; only a limit outside it limits their time.',
    ],
  ],
  [
    fault({ inject: 'error', ratio: 0.25, forMs: 1000 }),
    [
      'fault',
      1,
      100,
      'makes up an error for 25 % of the calls, until 1000 ms after it was put in.',
    ],
  ],
  [
    fault({ inject: 'latency', ratio: 1, delayMs: 30, jitterMs: 20, forMs: 1000 }),
    [
      'fault',
      1,
      150,
      'waits 50 ms at most for 100 % of the calls, until 1000 ms after it was put in.',
    ],
  ],
  [
    fault({ inject: 'hang', ratio: 1, forMs: 1000 }),
    [
      'fault',
      1,
      1100,
      'gives no answer for 100 % of the calls, until 1000 ms after it was put in.',
    ],
  ],
  [
    fault({ inject: 'result', ratio: 1, forMs: 1000, result: () => 1 }),
    [
      'fault',
      1,
      100,
      'makes up a result for 100 % of the calls, until 1000 ms after it was put in.',
    ],
  ],
];

test('every policy says what it does, how long at most, and what it refuses when', () => {
  for (const [policy, told] of TOLD) {
    const inner = timeout({ name: 'attempt', limitMs: 100 });
    const explained = pipeline('p', [policy, inner], { registry: undefined }).explain();
    const { steps, maxAttempts, worstCaseMs, words } = explained;
    const refusals = explained.refusals.map(({ code, when, policy: by }) => {
      assert.equal(by, policy.name);
      return `${code} ${when}`;
    });
    const [first] = steps;
    assert.deepEqual(first, { kind: told[0], name: policy.name, maxAttempts, worstCaseMs });
    assert.deepEqual(
      [policy.kind, maxAttempts, worstCaseMs, words[1], ...refusals],
      [told[0], told[1], told[2], `"${policy.name}" ${told[3]}`, ...told.slice(4)],
    );
  }
});

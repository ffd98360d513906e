import assert from 'node:assert/strict';
import { test } from 'node:test';
import { adaptiveLimit } from '../adaptive-limit/adaptive-limit.ts';
import { circuitBreaker } from '../breaker/breaker.ts';
import { bulkhead } from '../bulkhead/bulkhead.ts';
import { fallback } from '../fallback/fallback.ts';
import { hedge } from '../hedge/hedge.ts';
import { pipeline } from '../pipeline.ts';
import type { Policy } from '../policy.ts';
import { rateLimit } from '../rate-limit/rate-limit.ts';
import { retry } from '../retry/retry.ts';
import { deadline } from '../timeout/deadline.ts';
import { timeout } from '../timeout/timeout.ts';

const remarked = (...policies: Policy[]) =>
  pipeline('p', policies, { registry: undefined })
    .explain()
    .remarks.map(({ rule, policies }) => [rule, ...policies].join(' '));
const t = timeout({ limitMs: 100 });

test('remarks on orders that are seldom meant', () => {
  const steps = [() => 'default'];
  assert.deepEqual(
    {
      twice: remarked(retry({ name: 'a' }), retry({ name: 'b' }), t),
      total: remarked(timeout({ name: 'total', limitMs: 500 }), retry()),
      circuit: remarked(circuitBreaker(), retry(), t),
      hedged: remarked(hedge({ delayMs: 50 }), retry(), t),
      places: remarked(bulkhead({ limit: 5 }), retry(), t),
      hidden: remarked(deadline({ limitMs: 100 }), retry(), circuitBreaker(), fallback({ steps })),
      unlimited: remarked(retry()),
      empty: remarked(),
      good: remarked(
        deadline({ limitMs: 1_000 }),
        retry(),
        circuitBreaker(),
        bulkhead({ limit: 5 }),
        t,
      ),
    },
    {
      twice: ['retries-multiply a b'],
      total: ['timeout-around-retry total retry'],
      circuit: ['circuit-around-retry circuit retry'],
      hedged: ['hedge-around-retry hedge retry'],
      places: ['bulkhead-around-retry bulkhead retry'],
      hidden: ['fallback-inside retry fallback', 'fallback-inside circuit fallback'],
      unlimited: ['no-time-limit'],
      empty: [],
      good: [],
    },
  );
});

test('says of each order what happens and what to do', () => {
  const words = (...policies: Policy[]) =>
    pipeline('p', policies, { registry: undefined })
      .explain()
      .remarks.map((remark) => remark.words);
  const answering = fallback({ steps: [() => 'default'] });
  const whole = deadline({ limitMs: 5_000 });
  assert.deepEqual(
    [
      words(retry()),
      words(whole, retry({ name: 'a' }), retry({ name: 'b' })),
      words(timeout({ name: 'total', limitMs: 500 }), retry()),
      words(whole, circuitBreaker(), retry()),
      words(whole, bulkhead({ limit: 5 }), retry()),
      words(whole, circuitBreaker(), answering),
    ],
    [
      ['Nothing limits how long a call takes. Add a timeout for each attempt, or a deadline.'],
      ['"a" tries again what "b" has tried again already, and attempts multiply. Keep one.'],
      [
        '"total" limits all attempts of "retry" together and not each. Put it inside, or use a deadline for the whole.',
      ],
      [
        '"circuit" sees one failure for all attempts of "retry" and opens late. Put the circuit inside the retry.',
      ],
      [
        'A call holds its place in "bulkhead" while "retry" waits. Put the bulkhead inside the retry.',
      ],
      ['"circuit" never sees the failures that "fallback" answers. Put the fallback outside.'],
    ],
  );
});

test('remarks on numbers that contradict each other, and says what to do', () => {
  const failureRatio = { ratio: 0.5, minimumCalls: 5, windowMs: 1_000 };
  const { remarks } = pipeline(
    'p',
    [
      deadline({ limitMs: 900 }),
      circuitBreaker({ failureRatio }),
      bulkhead({ limit: 1, queueLimit: 5, queueTimeoutMs: 2_000 }),
      timeout({ limitMs: 600 }),
    ],
    { registry: undefined },
  ).explain();
  assert.deepEqual(
    remarks.map(({ rule, policies }) => [rule, ...policies]),
    [
      ['queue-outlasts-deadline', 'deadline', 'bulkhead'],
      ['window-too-short', 'circuit', 'timeout'],
    ],
  );
  assert.deepEqual(
    remarks.map(({ words }) => words),
    [
      'A call may wait longer in "bulkhead" (2000 ms) than "deadline" gives it (900 ms). Make the queue\'s time-out shorter.',
      'The window of "circuit" (1000 ms) is shorter than two attempts that end by "timeout" (600 ms each). Make it longer.',
    ],
  );
});

test('remarks on what a time-out or a deadline leaves no room for', () => {
  const slowCalls = { ratio: 0.5, minimumCalls: 5, slowCallMs: 150, windowMs: 1_000 };
  const in300 = deadline({ limitMs: 300 });
  const waits = retry({ maxRetries: 2, delayMs: 100, backoff: 'constant', jitter: 'none' });
  assert.deepEqual(
    {
      slow: remarked(circuitBreaker({ slowCalls }), t),
      slowWindow: remarked(
        circuitBreaker({ slowCalls: { ...slowCalls, slowCallMs: 50, windowMs: 150 } }),
        t,
      ),
      probe: remarked(circuitBreaker({ halfOpenMaxMs: 50 }), t),
      turn: remarked(in300, rateLimit({ limit: 1, maxWaitMs: 500 }), t),
      place: remarked(in300, adaptiveLimit({ queueLimit: 5, queueTimeoutMs: 500 }), t),
      fits: remarked(
        in300,
        rateLimit({ limit: 1, maxWaitMs: 300 }),
        bulkhead({ limit: 1, queueLimit: 1, queueTimeoutMs: 500 }),
        t,
      ),
      attempt: remarked(deadline({ limitMs: 150 }), retry(), t),
      twoAttempts: remarked(deadline({ limitMs: 200 }), retry(), t),
      noRetries: remarked(deadline({ limitMs: 150 }), retry({ maxRetries: 0 }), t),
      waits: remarked(deadline({ limitMs: 200 }), waits, t),
      shorterWaits: remarked(deadline({ limitMs: 201 }), waits, t),
      endless: remarked(in300, retry({ maxRetries: Infinity, jitter: 'none' }), t),
      hedge: remarked(hedge({ delayMs: 100 }), t),
      hedgeInside: remarked(deadline({ limitMs: 50 }), hedge({ delayMs: 60 }), t),
      hedgeInTime: remarked(hedge({ delayMs: 99 }), t),
      hedgeByQuantile: remarked(hedge(), t),
      hedgeOfAll: remarked(hedge({ delayMs: 100 }), retry(), t),
    },
    {
      slow: ['slow-calls-unseen circuit timeout'],
      slowWindow: ['window-too-short circuit timeout'],
      probe: ['half-open-too-short circuit timeout'],
      turn: ['queue-outlasts-deadline deadline rateLimit'],
      place: ['queue-outlasts-deadline deadline adaptiveLimit'],
      fits: ['queue-outlasts-deadline deadline bulkhead'],
      attempt: ['retries-outlast-deadline deadline retry timeout'],
      twoAttempts: [],
      noRetries: [],
      waits: ['retries-outlast-deadline deadline retry'],
      shorterWaits: [],
      endless: [],
      hedge: ['hedge-too-late hedge timeout'],
      hedgeInside: ['hedge-too-late deadline hedge'],
      hedgeInTime: [],
      hedgeByQuantile: [],
      hedgeOfAll: ['hedge-around-retry hedge retry'],
    },
  );
});

test('says of each of these what to do', () => {
  const slowCalls = { ratio: 0.5, minimumCalls: 5, slowCallMs: 150, windowMs: 1_000 };
  const said = (...policies: Policy[]) =>
    pipeline('p', policies, { registry: undefined })
      .explain()
      .remarks.map(({ words }) => words);
  assert.deepEqual(
    [
      said(circuitBreaker({ slowCalls, halfOpenMaxMs: 50 }), t),
      said(
        deadline({ limitMs: 150 }),
        retry({ maxRetries: 1, delayMs: 150, jitter: 'none' }),
        hedge({ delayMs: 100 }),
        t,
      ),
    ],
    [
      [
        '"circuit" calls slow what takes 150 ms, and "timeout" ends it after 100 ms. Make slowCallMs shorter.',
        '"circuit" gives up on a probe after 50 ms that "timeout" lets run for 100 ms, and opens again though it might succeed. Make halfOpenMaxMs longer.',
      ],
      [
        '"retry" waits at least 150 ms before its last retry, and "deadline" ends the call after 150 ms. Retry less often, or wait less.',
        '"deadline" (150 ms) has no room for two attempts that end by "timeout" (100 ms each): what "retry" tries after one is cut short. Make the attempts shorter.',
        '"timeout" ends after 100 ms what "hedge" would hedge after 100 ms: it never does. Make its delay shorter.',
      ],
    ],
  );
});

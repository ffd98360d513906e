import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { circuitBreaker } from '../breaker/breaker.ts';
import { bulkhead } from '../bulkhead/bulkhead.ts';
import { fallback } from '../fallback/fallback.ts';
import { pipeline } from '../pipeline.ts';
import type { Policy } from '../policy.ts';
import { retry } from '../retry/retry.ts';
import { deadline } from '../timeout/deadline.ts';
import { timeout } from '../timeout/timeout.ts';

const explained = (...policies: Policy[]) =>
  pipeline('p', policies, { registry: undefined }).explain();

describe('explain', () => {
  test('says the worst time, the most attempts, and what may refuse in which order', () => {
    const explanation = explained(
      retry({ maxRetries: 2, delayMs: 100 }),
      circuitBreaker(),
      bulkhead({ limit: 10, queueLimit: 5, queueTimeoutMs: 50 }),
      timeout({ limitMs: 800 }),
    );
    assert.deepEqual(explanation, {
      name: 'p',
      maxAttempts: 3,
      worstCaseMs: 3 * (800 + 50) + 100 + 200,
      refusals: [
        { policy: 'circuit', code: 'CIRCUIT_OPEN', when: 'for 10000 ms after 5 failures in a row' },
        { policy: 'circuit', code: 'CIRCUIT_BUSY', when: 'after that, while 1 probe is running' },
        {
          policy: 'bulkhead',
          code: 'BULKHEAD_FULL',
          when: 'while 10 calls are running and 5 wait',
        },
        { policy: 'bulkhead', code: 'QUEUE_TIMED_OUT', when: 'after 50 ms in the queue' },
      ],
      steps: [
        { kind: 'retry', name: 'retry', maxAttempts: 3, worstCaseMs: 2_850 },
        { kind: 'circuitBreaker', name: 'circuit', maxAttempts: 1, worstCaseMs: 850 },
        { kind: 'bulkhead', name: 'bulkhead', maxAttempts: 1, worstCaseMs: 850 },
        { kind: 'timeout', name: 'timeout', maxAttempts: 1, worstCaseMs: 800 },
      ],
      words: [
        'A call makes at most 3 attempts and takes at most 2850 ms.',
        '"retry" tries again up to 2 times and waits up to 300 ms between them in all.',
        '"circuit" refuses calls for 10000 ms after 5 failures in a row.',
        '"bulkhead" runs 10 calls at a time, lets 5 more wait up to 50 ms, and refuses others.',
        '"timeout" ends what is inside it after 800 ms.',
      ],
      remarks: [],
    });
  });

  test('knows what a deadline, jitter, a hint and a total time make of it', () => {
    const worst = (...policies: Policy[]) => explained(...policies).worstCaseMs;
    const t = timeout({ limitMs: 100 });
    assert.deepEqual(
      {
        bare: worst(),
        deadline: worst(deadline({ limitMs: 1_000 }), retry({ maxRetries: Infinity })),
        ratio: worst(retry({ maxRetries: 1, delayMs: 100, jitter: { ratio: 0.5 } }), t),
        hint: worst(retry({ maxRetries: 1, maxDelayMs: 3_000, delayHint: () => 1 }), t),
        elapsed: worst(retry({ maxRetries: Infinity, maxElapsedMs: 900_000 }), t),
        many: worst(retry({ maxRetries: 5_000, backoff: 'constant', delayMs: 1 }), t),
        fallback: worst(fallback({ steps: [() => 1] }), t),
        noDelay: worst(retry({ maxRetries: Infinity, delayMs: 0 }), t),
      },
      {
        bare: Infinity,
        deadline: 1_000,
        ratio: 350,
        hint: 3_200,
        elapsed: 900_100,
        many: 5_001 * 100 + 5_000,
        fallback: Infinity,
        noDelay: Infinity,
      },
    );
  });

  test('multiplies retries around retries', () => {
    const twice = explained(retry(), retry({ name: 'inner', maxRetries: 2 }));
    assert.equal(twice.maxAttempts, 12);
    assert.match(twice.words[0]!, /at most 12 attempts and takes as long as the function does/);
  });

  test('names every rule by which a circuit opens', () => {
    const { words } = explained(
      circuitBreaker({
        consecutiveFailures: 3,
        failureRatio: { ratio: 0.5, minimumCalls: 20, windowMs: 30_000 },
      }),
    );
    assert.equal(
      words[1],
      '"circuit" refuses calls for 10000 ms after 3 failures in a row or 50 % failures of at least 20 calls in 30000 ms.',
    );
  });
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { circuitBreaker } from '../breaker/breaker.ts';
import { bulkhead } from '../bulkhead/bulkhead.ts';
import { fallback } from '../fallback/fallback.ts';
import { pipeline } from '../pipeline.ts';
import type { Policy } from '../policy.ts';
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

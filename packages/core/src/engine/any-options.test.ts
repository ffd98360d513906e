import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ADAPTIVE_LIMIT_DEFAULTS } from '../adaptive-limit/options.ts';
import { CIRCUIT_BREAKER_DEFAULTS } from '../breaker/options.ts';
import { retryBudget } from '../budget/retry-budget.ts';
import { BULKHEAD_DEFAULTS } from '../bulkhead/options.ts';
import { CACHE_DEFAULTS } from '../cache/options.ts';
import { FALLBACK_DEFAULTS } from '../fallback/options.ts';
import { FAULT_DEFAULTS } from '../fault/options.ts';
import { HEDGE_DEFAULTS } from '../hedge/options.ts';
import * as core from '../index.ts';
import type { Policy } from '../policy.ts';
import { RATE_LIMIT_DEFAULTS } from '../rate-limit/options.ts';
import { RETRY_DEFAULTS } from '../retry/options.ts';
import { SHED_DEFAULTS } from '../shed/options.ts';
import { virtualWorld } from '../testing/virtual-world.ts';
import { THROTTLE_DEFAULTS } from '../throttle/options.ts';

/** Every policy, by the name of what makes it: all its options, and what stands where none of these is given. */
const MAKERS = {
  retry: [core.retry, Object.keys(RETRY_DEFAULTS), {}],
  timeout: [core.timeout, ['name', 'limitMs', 'limitFor'], { limitMs: 50 }],
  deadline: [core.deadline, ['name', 'limitMs'], { limitMs: 50 }],
  circuitBreaker: [
    core.circuitBreaker,
    [...Object.keys(CIRCUIT_BREAKER_DEFAULTS), 'successThreshold'],
    {},
  ],
  bulkhead: [core.bulkhead, [...Object.keys(BULKHEAD_DEFAULTS), 'limit'], { limit: 1 }],
  rateLimit: [
    core.rateLimit,
    [...Object.keys(RATE_LIMIT_DEFAULTS), 'limit', 'burst'],
    { limit: 1 },
  ],
  adaptiveLimit: [core.adaptiveLimit, Object.keys(ADAPTIVE_LIMIT_DEFAULTS), {}],
  throttle: [core.throttle, [...Object.keys(THROTTLE_DEFAULTS), 'kFor'], {}],
  shed: [core.shed, Object.keys(SHED_DEFAULTS), {}],
  hedge: [core.hedge, Object.keys(HEDGE_DEFAULTS), {}],
  fallback: [
    core.fallback,
    [...Object.keys(FALLBACK_DEFAULTS), 'steps'],
    { steps: [() => 'instead'] },
  ],
  cache: [core.cache, Object.keys(CACHE_DEFAULTS), {}],
  fault: [
    core.fault,
    [...Object.keys(FAULT_DEFAULTS), 'inject', 'ratio'],
    { inject: 'latency', ratio: 0.5, forMs: 100 },
  ],
} as const;

const numbers = [0, -0, -1, 0.5, 1, 1.5, 2, 7, 1_000, 2 ** 31 - 1, 2 ** 31, 2 ** 53, 1e300];
const others = [undefined, null, NaN, Infinity, -Infinity, '', '5', true, false, 5n, []];
const words = [
  'x',
  'none',
  'full',
  'linear',
  'decorrelated',
  'lifo',
  'criticality',
  'aimd',
  'vegas',
  'sliding-window',
  'error',
  'hang',
  'result',
];
const functions = [() => 1, () => true, () => false, () => undefined, () => NaN];
const objects = [
  {},
  { ratio: 0.5 },
  { addedMs: 5 },
  { ratio: 0.5, minimumCalls: 1, windowMs: 100, slowCallMs: 3 },
  { ratio: 1, minimumCalls: 2, windowCalls: 2 },
  { quantile: 0.9, minimumCalls: 1 },
  { critical: 0.5, sheddable: 0.5 },
  retryBudget({ minPerSecond: 0.1 }),
];
const anyValue = fc.constantFrom<unknown>(
  ...numbers,
  ...numbers,
  ...others,
  ...words,
  ...functions,
  ...objects,
);

const policies = fc
  .constantFrom(...(Object.keys(MAKERS) as (keyof typeof MAKERS)[]))
  .chain((kind) =>
    fc.record({
      kind: fc.constant(kind),
      given: fc.dictionary(fc.constantFrom(...MAKERS[kind][1]), anyValue, { maxKeys: 4 }),
    }),
  );

test('whatever the options are, they are refused by name, or make a policy with which every call ends', async () => {
  let made = 0;
  await fc.assert(
    fc.asyncProperty(policies, async ({ kind, given }) => {
      let policy: Policy;
      try {
        const [make, , needs] = MAKERS[kind];
        policy = (make as (options: object) => Policy)({ ...needs, ...given });
      } catch (error) {
        assert.ok(error instanceof RangeError || error instanceof TypeError, String(error));
        assert.match(error.message, new RegExp(`^${kind}[. ]`));
        return;
      }
      made += 1;
      await behaves(policy);
    }),
    { numRuns: 3_000 },
  );
  assert.ok(made > 500, `only ${made} of them could be made`);
});

/** Calls that succeed, fail at first, take long, or are left by their caller: all end, and nothing is left. */
async function behaves(policy: Policy): Promise<void> {
  const { clock, env, left, play } = virtualWorld();
  const p = core.pipeline('p', [policy], env);
  let runs = 0;
  const leaves = new AbortController();
  const failsAtFirst = () => {
    runs += 1;
    if (runs < 4) throw new Error('down');
    return 'well';
  };
  for (const fn of [() => 'well', failsAtFirst, () => clock.sleep(20).then(() => 'late')]) {
    const ended = await play(() =>
      p.execute<unknown>(fn, { cacheKey: 'k', key: 'k', signal: leaves.signal }),
    );
    assert.ok('value' in ended || 'error' in ended);
    p.swap([policy]);
  }
  const hangs = p.execute(() => new Promise(() => {}), { signal: leaves.signal }).catch(() => {});
  leaves.abort();
  await hangs;
  assert.ok(p.explain().worstCaseMs >= 0);
  assert.equal(p.inspect().inFlight, 0);
  await clock.advance(200_000);
  assert.deepEqual(left(), []);
}

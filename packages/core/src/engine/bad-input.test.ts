import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
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
import { rateLimit } from '../rate-limit/rate-limit.ts';
import { retry } from '../retry/retry.ts';
import { shed } from '../shed/shed.ts';
import { VirtualClock } from '../testing/virtual-clock.ts';
import { throttle } from '../throttle/throttle.ts';
import { deadline } from '../timeout/deadline.ts';
import { timeout } from '../timeout/timeout.ts';

type Make = (options: never) => Policy;

/** Every numeric option of every policy that needs no more than these to stand. */
const POLICIES: Readonly<Record<string, readonly [make: Make, needs: object, numbers: string]>> = {
  retry: [retry as Make, {}, 'maxRetries delayMs factor maxDelayMs maxElapsedMs'],
  timeout: [timeout as Make, {}, 'limitMs'],
  deadline: [deadline as Make, {}, 'limitMs'],
  circuitBreaker: [
    circuitBreaker as Make,
    {},
    'consecutiveFailures clearIntervalMs openMs halfOpenPermits successThreshold halfOpenMaxMs',
  ],
  bulkhead: [bulkhead as Make, { limit: 1 }, 'limit queueLimit queueTimeoutMs'],
  hedge: [hedge as Make, {}, 'delayMs maxHedges'],
  rateLimit: [
    rateLimit as Make,
    { limit: 1 },
    'limit intervalMs burst warmUpMs maxWaitMs maxKeys storeTimeoutMs',
  ],
  adaptiveLimit: [
    adaptiveLimit as Make,
    {},
    'initialLimit minLimit maxLimit timeoutMs tolerance queueLimit queueTimeoutMs windowMs minSamples',
  ],
  throttle: [throttle as Make, {}, 'k windowMs'],
  shed: [shed as Make, {}, 'until'],
  cache: [
    cache as Make,
    {},
    'ttlMs staleMs staleIfErrorMs errorTtlMs storePauseMs maxEntries maxBytes storeTimeoutMs refreshTimeoutMs maxRefreshes',
  ],
  fault: [fault as Make, { inject: 'error', ratio: 1, forMs: 1 }, 'ratio forMs delayMs jitterMs'],
};

/** Infinity says "no limit" where an option allows it; these are numbers nowhere. */
const NONSENSE = [Number.NaN, -1, -Infinity, '5', null, {}, [], true];

describe('options that cannot be', () => {
  for (const [kind, [make, needs, numbers]] of Object.entries(POLICIES)) {
    test(`${kind}: each number refuses what is none, and names itself and the value`, () => {
      for (const option of numbers.split(' ')) {
        for (const value of NONSENSE) {
          const what = `${kind}.${option} = ${String(value)}`;
          assert.throws(
            () => make({ ...needs, [option]: value } as never),
            (error: Error) => error instanceof RangeError && error.message.startsWith(`${kind}.`),
            what,
          );
        }
      }
    });
  }

  test('budgets, windows and nested rules are checked like the rest', () => {
    const nested: readonly [string, () => unknown][] = [
      ['retryBudget.ratio', () => retryBudget({ ratio: 11 })],
      ['retryBudget.windowMs', () => retryBudget({ windowMs: Number.NaN })],
      ['retryBudget.minPerSecond', () => retryBudget({ minPerSecond: '1' as never })],
      [
        'circuitBreaker.failureRatio',
        () => circuitBreaker({ failureRatio: { ratio: 2, minimumCalls: 5, windowMs: 1_000 } }),
      ],
      [
        'circuitBreaker.slowCalls',
        () =>
          circuitBreaker({
            slowCalls: { ratio: 0.5, minimumCalls: 0, windowMs: 1_000, slowMs: 5 } as never,
          }),
      ],
      ['retry.maxDelayMs', () => retry({ delayMs: 500, maxDelayMs: 100 })],
      ['hedge.quantile', () => hedge({ quantile: { quantile: 2 } as never })],
      ['fault.forMs', () => fault({ inject: 'error', ratio: 1, forMs: Infinity } as never)],
      ['fault.inject', () => fault({ inject: 'nothing' } as never)],
    ];
    for (const [option, make] of nested) {
      assert.throws(make, (error: Error) => {
        assert.ok(error instanceof RangeError || error instanceof TypeError, `${option}: ${error}`);
        assert.ok(error.message.includes(option), `${option} is not in: ${error.message}`);
        return true;
      });
    }
  });

  test('lists that are none, and what is no policy in them', () => {
    assert.throws(() => pipeline('p', null as never), {
      name: 'TypeError',
      message: 'pipeline.policies must be a list of policies, not null.',
    });
    assert.throws(() => pipeline('p', [retry(), null] as never), {
      name: 'TypeError',
      message: 'pipeline.policies[1] must be a policy, such as retry() makes one, not null.',
    });
  });

  test('names that are none, functions that are none', () => {
    for (const [kind, [make, needs]] of Object.entries(POLICIES)) {
      for (const name of ['', 5, null]) {
        const refused = () => make({ limitMs: 1, ...needs, name } as never);
        assert.throws(refused, { name: 'RangeError', message: new RegExp(`^${kind}\\.name must`) });
      }
    }
    assert.throws(() => fallback({ steps: ['default'] as never }), TypeError);
    assert.throws(() => pipeline(5 as never, []), /pipeline\.name/);
  });
});

describe('functions that misbehave', () => {
  const policies = () => [
    retry({ maxRetries: 1, delayMs: 10, jitter: 'none' }),
    circuitBreaker(),
    bulkhead({ limit: 1 }),
    timeout({ limitMs: 100 }),
  ];

  test('one that throws at once fails as one that rejects does', async () => {
    const error = new Error('at once');
    const thrown = await outcome(policies(), () => {
      throw error;
    });
    assert.deepEqual(thrown, { error, atMs: 10, calls: 2 });
  });

  test('what is no promise is the answer', async () => {
    for (const value of [undefined, null, 0, '', false, Symbol.for('x')]) {
      assert.deepEqual(await outcome(policies(), () => value), { value, atMs: 0, calls: 1 });
    }
  });

  test('a thenable that calls back twice is heard once', async () => {
    const twice = {
      // biome-ignore lint/suspicious/noThenProperty: a thenable is what this is about.
      then(resolve: (value: string) => void, reject: (error: Error) => void) {
        resolve('first');
        reject(new Error('second'));
        resolve('third');
      },
    };
    assert.deepEqual(await outcome(policies(), () => twice), { value: 'first', atMs: 0, calls: 1 });
  });

  test('a thenable that throws has failed', async () => {
    const error = new Error('no then today');
    const broken = {
      // biome-ignore lint/suspicious/noThenProperty: a thenable is what this is about.
      get then(): never {
        throw error;
      },
    };
    assert.deepEqual(await outcome(policies(), () => broken), { error, atMs: 10, calls: 2 });
  });

  test('one that never settles ends by its time limits', async () => {
    const hung = await outcome(policies(), () => new Promise(() => {}));
    assert.deepEqual(
      [(hung.error as { code: string }).code, hung.atMs, hung.calls],
      ['TIMED_OUT', 210, 2],
    );
  });

  test('a signal that is aborted already spares the function', async () => {
    const reason = new Error('too late');
    const signal = AbortSignal.abort(reason);
    assert.deepEqual(await outcome(policies(), () => 'never', signal), {
      error: reason,
      atMs: 0,
      calls: 0,
    });
  });

  test('what is no function at all is told so', async () => {
    await assert.rejects(pipeline('p', []).execute('fn' as never), {
      name: 'TypeError',
      message: 'execute.fn must be a function, not fn.',
    });
  });
});

async function outcome(policies: readonly Policy[], fn: () => unknown, signal?: AbortSignal) {
  const clock = new VirtualClock();
  const p = pipeline('p', policies, { clock });
  let calls = 0;
  const settled = await clock.run(() =>
    p
      .execute(
        () => {
          calls += 1;
          return fn();
        },
        signal === undefined ? {} : { signal },
      )
      .then(
        (value: unknown) => ({ value }),
        (error: unknown) => ({ error }),
      ),
  );
  const atMs = clock.now();
  assert.equal(p.inspect().inFlight, 0);
  return { ...settled, atMs, calls } as {
    value?: unknown;
    error?: unknown;
    atMs: number;
    calls: number;
  };
}

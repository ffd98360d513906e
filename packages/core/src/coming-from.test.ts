import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  bulkhead,
  type Criticality,
  cache,
  circuitBreaker,
  deadline,
  fallback,
  hedge,
  keyedPipeline,
  pipeline,
  rateLimit,
  retry,
  retryAfterHint,
  standard,
  timeout,
} from '@holdfast/core';
import { virtualWorld } from '@holdfast/core/testing';

/** What a dependency throws that answers with a status. */
class StatusError extends Error {
  readonly status: number;

  constructor(status: number) {
    super(`status ${status}`);
    this.status = status;
  }
}

describe('docs/guide/coming-from.md', () => {
  test('from cockatiel: the same three, and the caller hears of the abort', async () => {
    const world = virtualWorld();
    const { env } = world;
    const policies = [
      retry({ maxRetries: 3, backoff: 'decorrelated', delayMs: 128, maxDelayMs: 30_000 }),
      circuitBreaker({ consecutiveFailures: 5, openMs: 10_000 }),
      timeout({ limitMs: 2_000 }),
    ];
    const service = pipeline('service', policies, env);
    const attempts: number[] = [];
    const ask = async (signal: AbortSignal, attempt: number) => {
      attempts.push(attempt);
      if (attempt < 3) throw new Error('down');
      return signal.aborted ? 'late' : 'well';
    };

    const call = () => service.execute(({ signal, attempt }) => ask(signal, attempt));
    const { value } = await world.play(call);
    assert.deepEqual([value, attempts], ['well', [1, 2, 3]]);

    const caller = new AbortController();
    const { error, tookMs } = await world.play(() => {
      env.clock.timer(50, () => caller.abort('the user has left'));
      return service.execute(() => Promise.reject(new Error('down')), { signal: caller.signal });
    });
    assert.deepEqual([error, tookMs], ['the user has left', 50]);
    assert.deepEqual(world.left(), []);
  });

  test('from opossum: the numbers it has by default, and an error filter', async () => {
    const world = virtualWorld();
    const { env } = world;
    const order = async (id: string) => {
      if (id === 'unknown') throw new StatusError(404);
      throw new StatusError(503);
    };

    const policies = [
      fallback({ steps: [() => 'later'], fallbackIf: (error) => !isNotFound(error) }),
      circuitBreaker({
        consecutiveFailures: false,
        failureRatio: { ratio: 0.5, minimumCalls: 10, windowMs: 10_000 }, // a floor: not after one
        openMs: 30_000,
        failureIf: (error) => !isNotFound(error), // errorFilter, the other way round
      }),
      bulkhead({ limit: 50 }), // capacity
      timeout({ limitMs: 10_000 }),
    ];
    const breaker = pipeline('orders', policies, env);
    const fire = breaker.wrap(order);

    const state = () => breaker.inspect().policies[1]?.circuit?.state;
    for (let n = 0; n < 5; n += 1) await fire('unknown').catch(() => {});
    for (let n = 0; n < 4; n += 1) assert.equal(await fire('any'), 'later');
    assert.equal(state(), 'closed');
    await fire('any');
    assert.equal(state(), 'open');
    await world.clock.advance(30_000);
    await assert.rejects(fire('unknown'), StatusError);
    assert.equal(state(), 'closed');

    env.registry?.force('orders', 'forced-open', { forMs: 60_000 }); // breaker.open(), for a minute
    assert.equal(state(), 'forced-open');
  });

  test('from p-retry: its waits, its abort and its signal', async () => {
    const world = virtualWorld();
    const { env } = world;
    const policies = [
      retry({
        maxRetries: 10,
        delayMs: 1_000, // minTimeout
        factor: 2,
        maxDelayMs: 60_000, // maxTimeout
        jitter: 'none', // randomize: false
        maxElapsedMs: 120_000, // maxRetryTime
        retryIf: (error) => !isNotFound(error), // shouldRetry
      }),
    ];
    const again = pipeline('again', policies, env);
    const at: number[] = [];
    const gone = await world.play(() =>
      again.execute(({ attempt }) => {
        at.push(env.clock.now());
        throw new StatusError(attempt < 4 ? 503 : 404);
      }),
    );
    assert.deepEqual([at, String(gone.error)], [[0, 1_000, 3_000, 7_000], 'Error: status 404']);
  });

  test('from p-limit, p-queue and bottleneck: so many at once, so many a second, in order', async () => {
    const world = virtualWorld();
    const { env } = world;
    const policies = [
      rateLimit({ limit: 10, intervalMs: 1_000, maxWaitMs: 60_000 }), // intervalCap, interval
      bulkhead({
        limit: 2, // concurrency
        queueLimit: 1_000_000,
        queueTimeoutMs: Infinity,
        order: 'criticality', // priority, in four ranks
      }),
    ];
    const queue = pipeline('mails', policies, env);

    const begun: number[] = [];
    const send = () => {
      begun.push(env.clock.now());
      return env.clock.sleep(10);
    };
    await world.play(() => Promise.all(Array.from({ length: 12 }, () => queue.execute(send))));
    assert.deepEqual(begun, [0, 0, 10, 10, 20, 20, 30, 30, 40, 40, 100, 200]);

    const first: string[] = [];
    await world.clock.advance(10_000);
    const sendAs = (criticality: Criticality) => {
      const send = () => {
        first.push(criticality);
        return env.clock.sleep(10);
      };
      return queue.execute(send, { criticality });
    };
    const ranks = ['critical', 'critical', 'sheddable', 'critical-plus'] as const;
    await world.play(() => Promise.all(ranks.map(sendAs)));
    assert.deepEqual(first, ['critical', 'critical', 'critical-plus', 'sheddable']);
    assert.deepEqual(world.left(), []);
  });

  test('from lru-cache: one fetch for all, stale while it is renewed, stale if that fails', async () => {
    const world = virtualWorld();
    const { env } = world;
    const policies = [
      cache({
        maxEntries: 500, // max
        ttlMs: 60_000, // ttl
        staleMs: 60_000, // allowStale, for so long
        staleIfErrorMs: 600_000, // allowStaleOnFetchRejection, for so long
        cacheIf: (user) => user !== undefined,
      }),
    ];
    const users = pipeline('users', policies, env);
    let fetched = 0;
    let isDown = false;
    const fetchUser = async (id: string) => {
      fetched += 1;
      await env.clock.sleep(5);
      if (isDown) throw new StatusError(503);
      return `${id} ${fetched}`;
    };

    const get = (id: string) => users.execute(() => fetchUser(id), { cacheKey: id });

    const both = await world.play(() => Promise.all([get('ann'), get('ann')]));
    assert.deepEqual([both.value, fetched], [['ann 1', 'ann 1'], 1]);
    await world.clock.advance(60_000);
    assert.equal((await world.play(() => get('ann'))).value, 'ann 1');
    await world.clock.advance(10);
    assert.equal((await world.play(() => get('ann'))).value, 'ann 2');
    isDown = true;
    await world.clock.advance(200_000);
    assert.equal((await world.play(() => get('ann'))).value, 'ann 2');
    await users.invalidate('ann'); // delete; with the next get, forceRefresh
    assert.match(String((await world.play(() => get('ann'))).error), /503/);
  });

  test('from Polly: the standard handler, and a hedge that asks another replica', async () => {
    const world = virtualWorld();
    const { env } = world;
    const isTransient = ({ status }: { status: number }) =>
      status >= 500 || status === 408 || status === 429;
    const replicas = ['a', 'b'];
    const answers: Record<string, number> = { a: 503, b: 200 };
    const ask = async (replica: string | undefined, tookMs: number) => {
      await env.clock.sleep(tookMs);
      return { status: answers[replica ?? 'a'] ?? 500 };
    };

    const handler = standard({
      totalMs: 30_000,
      attemptMs: 10_000,
      retry: {
        maxRetries: 3,
        delayMs: 2_000,
        retryIfResult: isTransient,
        delayHint: retryAfterHint(),
      },
      circuitBreaker: {
        consecutiveFailures: false,
        failureRatio: { ratio: 0.1, minimumCalls: 100, windowMs: 30_000 },
        openMs: 5_000,
        failureIfResult: isTransient,
      },
      bulkhead: { limit: 1_000 },
    });
    const http = keyedPipeline('http', handler, env); // one for each host
    const { value, events } = await world.play(() =>
      http.execute(({ attempt }) => ask(attempt < 3 ? 'a' : 'b', 10), { key: 'example.org' }),
    );
    assert.deepEqual([value?.status, events.filter((e) => e.type === 'retry').length], [200, 2]);

    const policies = [
      retry({ maxRetries: 1, delayMs: 0, retryIfResult: isTransient }), // what fails at once is asked again at once
      hedge({ delayMs: 2_000, maxHedges: 1, failureIfResult: isTransient }),
    ];
    const search = pipeline('search', policies, env);
    const hedged = await world.play(() =>
      search.execute(({ attempt }) => ask(replicas[(attempt - 1) % 2], attempt === 1 ? 9_000 : 10)),
    );
    assert.deepEqual([hedged.value?.status, hedged.tookMs], [200, 2_010]);
  });

  test('from resilience4j: its window, its four probes and what it ignores', async () => {
    const world = virtualWorld();
    const { env } = world;
    const policies = [
      retry({ maxRetries: 2, backoff: 'constant', delayMs: 500, jitter: 'none' }), // maxAttempts: 3
      circuitBreaker({
        consecutiveFailures: false,
        failureRatio: { ratio: 0.5, minimumCalls: 5, windowCalls: 5 }, // COUNT_BASED
        slowCalls: { ratio: 1, slowCallMs: 4_000, minimumCalls: 5, windowCalls: 5 },
        openMs: 5_000, // waitDurationInOpenState
        halfOpenPermits: 4, // permittedNumberOfCallsInHalfOpenState
        ignoreIf: (error) => isNotFound(error), // ignoreExceptions
      }),
      rateLimit({ limit: 50, intervalMs: 1_000, maxWaitMs: 5_000 }),
      timeout({ limitMs: 1_000 }),
      bulkhead({ limit: 25 }),
    ];
    const backend = pipeline('backend', policies, env);
    const state = () => backend.inspect().policies[1]?.circuit?.state;
    const fail = (status: number) => () => Promise.reject(new StatusError(status));
    await world.play(() => backend.execute(fail(404)));
    await world.play(() => backend.execute(fail(503)));
    await world.play(() => backend.execute(fail(503)));
    assert.equal(state(), 'open');
    await world.clock.advance(5_000);
    for (let n = 0; n < 3; n += 1) await world.play(() => backend.execute(() => 'well'));
    await world.play(() => backend.execute(fail(404)));
    assert.equal(state(), 'half-open');
    await world.play(() => backend.execute(() => 'well'));
    assert.equal(state(), 'closed');
  });

  test('from gobreaker: the same settings by other names', async () => {
    const world = virtualWorld();
    const { env } = world;
    const policies = [
      circuitBreaker({
        halfOpenPermits: 3, // MaxRequests
        clearIntervalMs: 30_000, // Interval
        openMs: 90_000, // Timeout
        trip: ({ requests, totalFailures }) => requests >= 3 && totalFailures / requests >= 0.6, // ReadyToTrip
        failureIf: (error) => !isNotFound(error), // IsSuccessful, the other way round
      }),
    ];
    const orders = pipeline('orders', policies, env);
    const state = () => orders.inspect().policies[0]?.circuit?.state;
    const fail = () => orders.execute(() => Promise.reject(new StatusError(503)));
    await world.play(fail);
    await world.play(() => orders.execute(() => 'well'));
    assert.equal(state(), 'closed');
    await world.play(fail);
    assert.equal(state(), 'open');
    await world.clock.advance(90_000);
    for (let n = 0; n < 3; n += 1) await world.play(() => orders.execute(() => 'well'));
    assert.equal(state(), 'closed');
  });

  test('from Hystrix: its defaults', async () => {
    const world = virtualWorld();
    const { env } = world;
    const policies = [
      fallback({ steps: [() => 'later'] }), // getFallback
      circuitBreaker({
        consecutiveFailures: false,
        failureRatio: { ratio: 0.5, minimumCalls: 20, windowMs: 10_000 }, // errorThresholdPercentage, requestVolumeThreshold
        openMs: 5_000, // sleepWindowInMilliseconds
      }),
      bulkhead({ limit: 10 }), // maxConcurrentRequests
      timeout({ limitMs: 1_000 }),
    ];
    const command = pipeline('command', policies, env);
    const state = () => command.inspect().policies[1]?.circuit?.state;
    const busy = Array.from({ length: 11 }, () => () => command.execute(() => env.clock.sleep(5)));
    const { value } = await world.play(() => Promise.all(busy.map((call) => call())));
    assert.deepEqual(value?.slice(9), [undefined, 'later']);
    const fail = () => command.execute(() => Promise.reject(new StatusError(503)));
    for (let n = 0; n < 9; n += 1) await world.play(fail);
    // Nineteen calls: the one that the bulkhead refused does not count.
    assert.equal(state(), 'closed');
    await world.play(fail);
    assert.equal(state(), 'open');
    await world.clock.advance(5_000);
    await world.play(() => command.execute(() => 'well'));
    assert.equal(state(), 'closed');
  });

  test('from gRPC: its retry policy, with the server’s pushback', async () => {
    const world = virtualWorld();
    const UNAVAILABLE = 14;
    const policies = [
      deadline({ limitMs: 10_000 }), // timeout
      retry({
        maxRetries: 3, // maxAttempts: 4
        delayMs: 100, // initialBackoff
        factor: 2, // backoffMultiplier
        maxDelayMs: 1_000, // maxBackoff
        retryIf: (error) => codeOf(error) === UNAVAILABLE && (pushbackOf(error) ?? 0) >= 0,
        delayHint: ({ error }) => pushbackOf(error),
      }),
    ];
    const stub = pipeline('stub', policies, world.env);
    const pushed = [700, -1];
    const at: number[] = [];
    const { error } = await world.play(() =>
      stub.execute(() => {
        at.push(world.clock.now());
        return Promise.reject({ code: UNAVAILABLE, pushbackMs: pushed.shift() });
      }),
    );
    assert.deepEqual([at, error], [[0, 700], { code: UNAVAILABLE, pushbackMs: -1 }]);
  });

  test('what a JSON parser throws is retried once it is said to be the answer’s fault', async () => {
    const world = virtualWorld();
    const bodies = ['<html>502</html>', '{"price":4}'];
    const policies = [retry({ jitter: 'none' }), deadline({ limitMs: 3_000 })];
    const prices = pipeline('prices', policies, world.env);
    const read = async () => {
      const text = bodies.shift() ?? '';
      try {
        return JSON.parse(text) as { price: number };
      } catch (error) {
        throw new Error('The answer is no JSON.', { cause: error });
      }
    };
    const { value } = await world.play(() => prices.execute(read));
    assert.equal(value?.price, 4);
  });
});

const codeOf = (error: unknown) => (error as { code?: number }).code;

const pushbackOf = (error: unknown) => (error as { pushbackMs?: number }).pushbackMs;

const isNotFound = (error: unknown) => error instanceof StatusError && error.status === 404;

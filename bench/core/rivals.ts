import * as cockatiel from 'cockatiel';
import CircuitBreaker from 'opossum';
import { peer } from '../peer.ts';

/** A function as the rivals take it. */
export type Work = () => Promise<number>;

/** One library's way to put one policy around calls. Each is made anew for a line of the table. */
export type Make = () => (work: Work) => PromiseLike<unknown>;

interface MollitiaCircuit {
  fn(work: Work): { execute(): Promise<unknown> };
}
interface Mollitia {
  readonly Circuit: new (given: { options: { modules: readonly object[] } }) => MollitiaCircuit;
  readonly Retry: new (given: object) => object;
  readonly Timeout: new (given: object) => object;
  readonly Bulkhead: new (given: object) => object;
  readonly Ratelimit: new (given: object) => object;
  readonly Fallback: new (given: object) => object;
  readonly SlidingCountBreaker: new (given: object) => object & { open?(): void };
  readonly Cache: new (given: object) => object;
}
/** An effect is opaque here; only Effect itself looks inside. */
type Opaque = object;
interface EffectModule {
  tryPromise(work: Work): Opaque;
  retry(effect: Opaque, options: object): Opaque;
  timeout(effect: Opaque, duration: string): Opaque;
  orElseSucceed(effect: Opaque, value: () => unknown): Opaque;
  runPromise(effect: Opaque): Promise<unknown>;
  runSync<T>(effect: Opaque): T;
  andThen(effect: Opaque, next: Opaque): Opaque;
  provide(effect: Opaque, layer: Opaque): Opaque;
}
interface EffectLimiter {
  consume(options: object): Opaque;
}
interface EffectLimiterModule {
  readonly make: Opaque;
  readonly layerStoreMemory: Opaque;
}
interface EffectCacheModule {
  make(options: object): Opaque;
  get(cache: Opaque, key: string): Opaque;
}
interface Semaphore {
  withPermits(permits: number): (effect: Opaque) => Opaque;
}

/** Every rival's version of each policy, by policy and library. */
export async function rivals(): Promise<Readonly<Record<string, Readonly<Record<string, Make>>>>> {
  const mollitia = await peer<Mollitia>('mollitia/dist/index.js');
  const effect = await peer<EffectModule>('effect/dist/Effect.js');
  const semaphore = await peer<{ makeUnsafe(permits: number): Semaphore }>(
    'effect/dist/Semaphore.js',
  );
  const limiter = await peer<EffectLimiterModule>('effect/dist/persistence/RateLimiter.js');
  const effectCache = await peer<EffectCacheModule>('effect/dist/Cache.js');
  const { default: pRetry } = await peer<{
    default: (work: Work, options: object) => Promise<number>;
  }>('p-retry/index.js');
  const { default: pLimit } = await peer<{
    default: (limit: number) => (work: Work) => Promise<number>;
  }>('p-limit/index.js');

  const ofCockatiel =
    (make: () => { execute(work: Work): Promise<unknown> }): Make =>
    () => {
      const policy = make();
      return (work) => policy.execute(work);
    };
  const ofMollitia =
    (make: () => object): Make =>
    () => {
      const circuit = new mollitia.Circuit({ options: { modules: [make()] } });
      return (work) => circuit.fn(work).execute();
    };
  /** Effect's has no answer for what does not fit but to fail or to wait; here it fails. */
  const effectLimiter =
    (limit: number, window: string): Make =>
    () => {
      const made = effect.runSync<EffectLimiter>(
        effect.provide(limiter.make, limiter.layerStoreMemory),
      );
      const options = { key: 'one', limit, window, onExceeded: 'fail', algorithm: 'token-bucket' };
      return (work) =>
        effect.runPromise(effect.andThen(made.consume(options), effect.tryPromise(work)));
    };
  const ofEffect =
    (wrap: (effect: Opaque) => Opaque): Make =>
    () =>
    (work) =>
      effect.runPromise(wrap(effect.tryPromise(work)));

  return {
    retry: {
      cockatiel: ofCockatiel(() =>
        cockatiel.retry(cockatiel.handleAll, {
          maxAttempts: 3,
          backoff: new cockatiel.ConstantBackoff(0),
        }),
      ),
      mollitia: ofMollitia(() => new mollitia.Retry({ attempts: 3, interval: 0 })),
      'p-retry': () => (work) => pRetry(work, { retries: 3, minTimeout: 0 }),
      Effect: ofEffect((one) => effect.retry(one, { times: 3 })),
    },
    timeout: {
      cockatiel: ofCockatiel(() => cockatiel.timeout(1_000, cockatiel.TimeoutStrategy.Aggressive)),
      mollitia: ofMollitia(() => new mollitia.Timeout({ delay: 1_000 })),
      Effect: ofEffect((one) => effect.timeout(one, '1 second')),
    },
    circuitBreaker: {
      cockatiel: ofCockatiel(() =>
        cockatiel.circuitBreaker(cockatiel.handleAll, {
          halfOpenAfter: 1_000_000,
          breaker: new cockatiel.ConsecutiveBreaker(5),
        }),
      ),
      opossum: () => {
        // One action a breaker: the work goes in as an argument.
        const breaker = new CircuitBreaker((work: Work) => work(), {
          timeout: false,
          volumeThreshold: 5,
          resetTimeout: 1_000_000,
          enableSnapshots: false,
        });
        return (work) => breaker.fire(work) as Promise<unknown>;
      },
      mollitia: ofMollitia(
        () =>
          new mollitia.SlidingCountBreaker({
            slidingWindowSize: 10,
            minimumNumberOfCalls: 5,
            openStateDelay: 1_000_000,
          }),
      ),
    },
    bulkhead: {
      cockatiel: ofCockatiel(() => cockatiel.bulkhead(100, 1_000)),
      mollitia: ofMollitia(
        () =>
          new mollitia.Bulkhead({ concurrentSize: 100, queueSize: 1_000, maxQueueWait: 60_000 }),
      ),
      'p-limit': () => pLimit(100),
      Effect: () => {
        const gate = semaphore.makeUnsafe(100);
        return (work) => effect.runPromise(gate.withPermits(1)(effect.tryPromise(work)));
      },
    },
    'bulkhead, full': {
      cockatiel: ofCockatiel(() => cockatiel.bulkhead(1, 0)),
      mollitia: ofMollitia(
        () => new mollitia.Bulkhead({ concurrentSize: 1, queueSize: 0, maxQueueWait: 60_000 }),
      ),
    },
    rateLimit: {
      mollitia: ofMollitia(
        () => new mollitia.Ratelimit({ limitForPeriod: 1_000_000_000, limitPeriod: 1_000 }),
      ),
      Effect: effectLimiter(1_000_000_000, '1 millis'),
    },
    'rateLimit, full': {
      mollitia: ofMollitia(
        () => new mollitia.Ratelimit({ limitForPeriod: 1, limitPeriod: 1_000_000 }),
      ),
      Effect: effectLimiter(1, '1000 seconds'),
    },
    cache: {
      mollitia: ofMollitia(() => new mollitia.Cache({ ttl: 60_000, cacheClearInterval: 60_000 })),
      Effect: () => {
        // The work is the cache's own, by key, and so is its failure: kept as any answer.
        let now: Work = async () => 0;
        const kept = effect.runSync<Opaque>(
          effectCache.make({
            capacity: 1_024,
            timeToLive: '1 minute',
            lookup: () => effect.tryPromise(() => now()),
          }),
        );
        return (work) => {
          now = work;
          return effect.runPromise(effectCache.get(kept, 'one'));
        };
      },
    },
    fallback: {
      cockatiel: ofCockatiel(() => cockatiel.fallback(cockatiel.handleAll, 0)),
      mollitia: ofMollitia(() => new mollitia.Fallback({ callback: () => 0 })),
      Effect: ofEffect((one) => effect.orElseSucceed(one, () => 0)),
    },
  };
}

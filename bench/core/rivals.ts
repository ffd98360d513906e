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
}
/** An effect is opaque here; only Effect itself looks inside. */
type Opaque = object;
interface EffectModule {
  tryPromise(work: Work): Opaque;
  retry(effect: Opaque, options: object): Opaque;
  timeout(effect: Opaque, duration: string): Opaque;
  orElseSucceed(effect: Opaque, value: () => unknown): Opaque;
  runPromise(effect: Opaque): Promise<unknown>;
  provide(effect: Opaque, layer: Opaque): Opaque;
  scoped(effect: Opaque): Opaque;
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
    rateLimit: {
      mollitia: ofMollitia(
        () => new mollitia.Ratelimit({ limitForPeriod: 1_000_000_000, limitPeriod: 1_000 }),
      ),
    },
    fallback: {
      cockatiel: ofCockatiel(() => cockatiel.fallback(cockatiel.handleAll, 0)),
      mollitia: ofMollitia(() => new mollitia.Fallback({ callback: () => 0 })),
      Effect: ofEffect((one) => effect.orElseSucceed(one, () => 0)),
    },
  };
}

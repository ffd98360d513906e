import {
  bulkhead,
  type Call,
  circuitBreaker,
  createRegistry,
  pipeline,
  retry,
  timeout,
} from '@holdfast/core';
import * as cockatiel from 'cockatiel';
import CircuitBreaker from 'opossum';
import type { Contestant } from './time-calls.ts';

const registry = createRegistry();

const answer = async (call: Pick<Call, 'attempt'>) => call.attempt;
const readSignal = async ({ signal }: Pick<Call, 'signal'>) => signal.aborted;
const fail = async () => {
  throw new Error('down');
};
const context = { attempt: 1, remainingMs: 1_000 };

/** Retry, breaker, bulkhead with queue, time-out: ours. */
export const four = pipeline(
  'four',
  [
    retry({ maxRetries: 3 }),
    circuitBreaker(),
    bulkhead({ limit: 100, queueLimit: 100 }),
    timeout({ limitMs: 1_000 }),
  ],
  { registry },
);

const empty = pipeline('empty', [], { registry });
const retryAlone = pipeline('retry', [retry()], { registry });
const open = pipeline('open', [circuitBreaker()], { registry });

/** The same four of cockatiel; its calls are given the bare call's context, so that the function does the same. */
const cockatielFour = (strategy: cockatiel.TimeoutStrategy) =>
  cockatiel.wrap(
    cockatiel.retry(cockatiel.handleAll, { maxAttempts: 3 }),
    cockatiel.circuitBreaker(cockatiel.handleAll, {
      halfOpenAfter: 10_000,
      breaker: new cockatiel.ConsecutiveBreaker(5),
    }),
    cockatiel.bulkhead(100, 100),
    cockatiel.timeout(1_000, strategy),
  );

/** Only aborts the signal and waits for a function that ignores it: less than ours does. */
const cockatielCooperative = cockatielFour(cockatiel.TimeoutStrategy.Cooperative);
/** Leaves a function behind that ignores its signal, as ours does. */
const cockatielAggressive = cockatielFour(cockatiel.TimeoutStrategy.Aggressive);

const cockatielOpen = cockatiel.circuitBreaker(cockatiel.handleAll, {
  halfOpenAfter: 1_000_000,
  breaker: new cockatiel.ConsecutiveBreaker(1),
});
const opossum = new CircuitBreaker(answer, { timeout: 1_000 });
const opossumOpen = new CircuitBreaker(fail, { timeout: false, resetTimeout: 1_000_000 });

/** Brings the circuits into the states that their lines are about; undone by `rest`. */
export async function prepare(): Promise<void> {
  registry.force('open', 'forced-open', { forMs: 3_600_000 });
  await cockatielOpen.execute(fail).catch(ignore);
  await opossumOpen.fire().catch(ignore);
}

/** Stops the timers that the rivals keep. */
export function rest(): void {
  opossum.shutdown();
  opossumOpen.shutdown();
}

export const CONTESTANTS: readonly Contestant[] = [
  { name: 'bare await, with a call context', call: () => answer(context), calls: 200_000 },
  { name: 'empty pipeline', call: () => empty.execute(answer), calls: 100_000 },
  { name: 'retry alone', call: () => retryAlone.execute(answer), calls: 100_000 },
  { name: 'four policies', call: () => four.execute(answer), calls: 100_000 },
  { name: 'four policies, signal read', call: () => four.execute(readSignal), calls: 50_000 },
  {
    name: 'cockatiel’s four, cooperative',
    call: () => cockatielCooperative.execute(() => answer(context)),
    calls: 10_000,
  },
  {
    name: 'cockatiel’s four, aggressive',
    call: () => cockatielAggressive.execute(() => answer(context)),
    calls: 10_000,
  },
  { name: 'opossum, its breaker', call: () => opossum.fire(context), calls: 20_000 },
  {
    name: 'refused by an open circuit',
    call: () => open.execute(answer).catch(ignore),
    calls: 30_000,
  },
  {
    name: 'cockatiel, refused',
    call: () => cockatielOpen.execute(fail).catch(ignore),
    calls: 20_000,
  },
  { name: 'opossum, refused', call: () => opossumOpen.fire().catch(ignore), calls: 20_000 },
];

/** A breaker that waits for calls, in a pipeline of its own. */
export const idleBreaker = (n: number) =>
  pipeline(`idle ${n}`, [circuitBreaker()], { registry: undefined });

/** A pipeline of one policy without the policy: what the breaker's own weight is measured against. */
export const idlePipeline = (n: number) => pipeline(`idle ${n}`, [], { registry: undefined });

export const callFour = () => four.execute(answer);
export const callBare = () => answer(context);

function ignore(): void {}

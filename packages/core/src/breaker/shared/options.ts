import {
  checkFunction,
  checkInteger,
  checkName,
  checkNumber,
  checkOptions,
  NO_DEFAULT,
} from '../../check.ts';
import type { CircuitStore } from './circuit-store.ts';

/** How a circuit agrees with those of other processes. */
export interface SharedCircuitOptions {
  /** Where they meet. It is never waited for: a call neither fails nor takes longer for it. */
  readonly store: CircuitStore;

  /**
   * This process's name, which should stay the same when it is restarted (the
   * host's, the pod's): a broken node that comes back under a new name each time
   * would have as many votes as it has had names within `leaseMs`.
   *
   * @default drawn by chance
   */
  readonly node?: string;

  /** What the circuit is called in the store. @default the pipeline's name and the policy's: `payments/circuit` */
  readonly circuit?: string;

  /** Fewer nodes than this never open the others' circuits. @default 2 (1 … 1_000) */
  readonly quorumNodes?: number;

  /** Nor does a smaller part than this of the nodes that are alive. @default 0.5 (0 exclusive … 1) */
  readonly quorumRatio?: number;

  /** How often a node reports while it has calls to make. @default 1_000 ms (10 … 60_000) */
  readonly intervalMs?: number;

  /** A node that has not reported for so long counts as gone. @default 10 times `intervalMs` (3 times `intervalMs` … 10 min) */
  readonly leaseMs?: number;

  /** The store has failed when it has not answered after so long. @default 1_000 ms (1 … 60_000) */
  readonly storeTimeoutMs?: number;
}

export type ResolvedSharedCircuitOptions = Required<
  Omit<SharedCircuitOptions, 'circuit' | 'node'>
> &
  Pick<SharedCircuitOptions, 'circuit' | 'node'>;

export const SHARED_CIRCUIT_DEFAULTS = {
  quorumNodes: 2,
  quorumRatio: 0.5,
  intervalMs: 1_000,
  leaseMs: 10_000,
  storeTimeoutMs: 1_000,
} as const;

/** Fills in defaults and rejects nonsense now, while the stack still points at its author. */
export function resolveSharedCircuitOptions(
  given: SharedCircuitOptions,
): ResolvedSharedCircuitOptions {
  const options = checkOptions('circuitBreaker.shared', given, {
    ...SHARED_CIRCUIT_DEFAULTS,
    leaseMs: 10 * Number(given?.intervalMs ?? SHARED_CIRCUIT_DEFAULTS.intervalMs),
    store: NO_DEFAULT,
    node: NO_DEFAULT,
    circuit: NO_DEFAULT,
  });
  const { intervalMs } = options;
  checkNumber('circuitBreaker.shared.intervalMs', intervalMs, 10, 60_000);
  const name = (option: string) => `circuitBreaker.shared.${option}`;
  checkFunction(name('store.exchange'), options.store?.exchange ?? null);
  if (options.node !== undefined) checkName(name('node'), options.node);
  if (options.circuit !== undefined) checkName(name('circuit'), options.circuit);
  checkInteger(name('quorumNodes'), options.quorumNodes, 1, 1_000);
  checkNumber(name('quorumRatio'), options.quorumRatio, Number.MIN_VALUE, 1);
  checkNumber(name('leaseMs'), options.leaseMs, 3 * intervalMs, 600_000);
  checkNumber(name('storeTimeoutMs'), options.storeTimeoutMs, 1, 60_000);
  return options;
}

import {
  checker,
  checkFunction,
  checkName,
  checkNumber,
  checkOneOf,
  checkOptions,
  checkSync,
  LONGEST_TIMER_MS,
  NO_DEFAULT,
} from '../check.ts';
import type { Criticality } from '../policy.ts';
import { connectionReset } from './injected.ts';

/** The call that a fault might be put into. */
export interface FaultTarget {
  readonly key: string | undefined;
  readonly cacheKey: string | undefined;
  readonly criticality: Criticality;
  /** Which attempt it would be, from 1. */
  readonly attempt: number;
}

interface FaultBasis {
  /** Names this policy in events, metrics and errors. @default 'fault' */
  readonly name?: string;

  /** Part of the calls that it is put into, by chance. (0 … 1) */
  readonly ratio: number;

  /** Whether a call may get it: one tenant, one in staging. One that throws says no. @default every call */
  readonly enabled?: (target: FaultTarget) => boolean;

  /**
   * How long after the pipeline was built, or swapped, it is put in. A fault
   * always expires: forgotten, it would be an outage of our own making.
   *
   * @default 3_600_000 ms (1 … 86_400_000)
   */
  readonly forMs?: number;
}

/** What is put in, and into which calls. */
export type FaultOptions = FaultBasis &
  (
    | {
        readonly inject: 'error';
        /** Makes the error, as the dependency would throw it. @default a connection that was reset */
        readonly error?: () => unknown;
      }
    | {
        readonly inject: 'latency';
        /** The function is called so much later. ms (0 … 2^31 − 1) */
        readonly delayMs: number;
        /** And by chance up to so much later still. @default 0 ms (0 … 2^31 − 1) */
        readonly jitterMs?: number;
      }
    | {
        /** The function is not called until the call is ended, or the fault has expired. */
        readonly inject: 'hang';
      }
    | {
        readonly inject: 'result';
        /** Makes the wrong result, in place of the function. */
        readonly result: () => unknown;
      }
  );

export type FaultKind = FaultOptions['inject'];

export interface ResolvedFaultOptions {
  readonly name: string;
  readonly inject: FaultKind;
  readonly ratio: number;
  readonly enabled: (target: FaultTarget) => boolean;
  readonly forMs: number;
  readonly error: () => unknown;
  readonly delayMs: number;
  readonly jitterMs: number;
  readonly result: () => unknown;
}

export const FAULT_DEFAULTS = {
  name: 'fault',
  enabled: (_target: FaultTarget): boolean => true,
  forMs: 3_600_000,
  error: (): unknown => connectionReset(),
  delayMs: 0,
  jitterMs: 0,
  result: (): unknown => undefined,
} as const;

const KINDS: readonly FaultKind[] = ['error', 'latency', 'hang', 'result'];
const LONGEST_FAULT_MS = 24 * 3_600_000;

/** Fills in defaults and rejects nonsense now, while the stack still points at its author. */
export function resolveFaultOptions(given: FaultOptions): ResolvedFaultOptions {
  const options: ResolvedFaultOptions = checkOptions('fault', given as ResolvedFaultOptions, {
    ...FAULT_DEFAULTS,
    inject: NO_DEFAULT,
    ratio: NO_DEFAULT,
  });
  const check = checker('fault', options);
  check(checkName, 'name');
  check(checkOneOf, 'inject', KINDS);
  check(checkNumber, 'ratio', 0, 1);
  check(checkSync, 'enabled');
  check(checkNumber, 'forMs', 1, LONGEST_FAULT_MS);
  check(checkFunction, 'error');
  check(checkNumber, 'delayMs', 0, LONGEST_TIMER_MS);
  check(checkNumber, 'jitterMs', 0, LONGEST_TIMER_MS);
  if (given.inject === 'latency') checkNumber('fault.delayMs', given.delayMs, 0, LONGEST_TIMER_MS);
  if (given.inject === 'result') checkFunction('fault.result', given.result ?? null);
  return options;
}

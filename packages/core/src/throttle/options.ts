import { checker, checkName, checkNumber, checkOptions, checkSync } from '../check.ts';
import { isRefusal } from '../engine/outcome.ts';
import type { OfResult } from '../policy.ts';
import { CRITICALITIES, type Criticality } from '../policy.ts';

export interface ThrottleOptions {
  /** Names this policy in events, metrics and errors. @default 'throttle' */
  readonly name?: string;
  /**
   * So many times the calls that were accepted are sent: the K of "Handling
   * Overload" in Google's "Site Reliability Engineering". Less refuses sooner,
   * more lets the dependency refuse more itself.
   *
   * @default 2 (1 … 100)
   */
  readonly k?: number;
  /** K for calls of each criticality, so that those which matter less go first. @default `k` × 2, 1, 0.75 and 0.6, at least 1 (1 … 1_000) */
  readonly kFor?: Readonly<Partial<Record<Criticality, number>>>;
  /** How far it looks back, in steps of a fortieth. @default 120_000 ms (1_000 … 3_600_000) */
  readonly windowMs?: number;
  /**
   * Whether an error shows that the dependency did not accept the call: a 429, a
   * 503, a time-out. Other errors are answers.
   *
   * @default every error but those a policy inside refused with
   */
  readonly refusedIf?: (error: unknown) => boolean;
  /** Whether a result shows that. @default none does */
  readonly refusedIfResult?: OfResult<boolean>;
}

export interface ResolvedThrottleOptions extends Required<Omit<ThrottleOptions, 'kFor'>> {
  readonly kFor: Readonly<Record<Criticality, number>>;
}

export const THROTTLE_DEFAULTS = {
  name: 'throttle',
  k: 2,
  windowMs: 120_000,
  refusedIf: (error: unknown): boolean => !isRefusal(error),
  refusedIfResult: (_value: unknown): boolean => false,
} as const;

const SHARES: Readonly<Record<Criticality, number>> = {
  'critical-plus': 2,
  critical: 1,
  'sheddable-plus': 0.75,
  sheddable: 0.6,
};

/** Fills in defaults and rejects nonsense now, while the stack still points at its author. */
export function resolveThrottleOptions(given: ThrottleOptions): ResolvedThrottleOptions {
  const options = checkOptions('throttle', given, { ...THROTTLE_DEFAULTS, kFor: {} });
  const check = checker('throttle', options);
  check(checkName, 'name');
  check(checkNumber, 'k', 1, 100);
  check(checkNumber, 'windowMs', 1_000, 3_600_000);
  check(checkSync, 'refusedIf');
  check(checkSync, 'refusedIfResult');
  const own: ThrottleOptions['kFor'] = options.kFor;
  checkOptions('throttle.kFor', own, SHARES);
  const kFor = Object.fromEntries(
    CRITICALITIES.map((each) => {
      const { [each]: k = Math.max(1, options.k * SHARES[each]) } = own;
      checkNumber(`throttle.kFor.${each}`, k, 1, 1_000);
      return [each, k];
    }),
  ) as Record<Criticality, number>;
  return { ...options, kFor };
}

import { checker, checkFunction, checkName } from '../check.ts';
import type { Call } from '../policy.ts';
import { isProgrammingError } from '../retry/retriable.ts';

/** Answers in place of a failed call. May be asynchronous; throwing leaves it to the next step. */
export type FallbackStep = (error: unknown, call: Call) => unknown;

export interface FallbackOptions {
  /** Names this policy in events, metrics and errors. @default 'fallback' */
  readonly name?: string;

  /** Asked in order until one answers: the cached value, then the default. (1 … 20 of them) */
  readonly steps: readonly FallbackStep[];

  /** Whether an error may be answered for. @default every error but programming errors: they would be hidden */
  readonly fallbackIf?: (error: unknown) => boolean;
}

export type ResolvedFallbackOptions = Required<FallbackOptions>;

export const FALLBACK_DEFAULTS = {
  name: 'fallback',
  fallbackIf: (error: unknown): boolean => !isProgrammingError(error),
} as const;

/** Fills in defaults and rejects nonsense now, while the stack still points at its author. */
export function resolveFallbackOptions(given: FallbackOptions): ResolvedFallbackOptions {
  const options = { ...FALLBACK_DEFAULTS, ...given };
  const check = checker('fallback', options);
  check(checkName, 'name');
  const count = Array.isArray(options.steps) ? options.steps.length : 0;
  if (count < 1 || count > 20) {
    throw new RangeError(`fallback.steps must be a list of 1 to 20 functions, not ${count}.`);
  }
  options.steps.forEach((step, i) => {
    checkFunction(`fallback.steps[${i}]`, step ?? null);
  });
  check(checkFunction, 'fallbackIf');
  return options;
}

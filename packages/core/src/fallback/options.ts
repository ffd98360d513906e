import {
  checker,
  checkFunction,
  checkName,
  checkOneOf,
  checkOptions,
  checkSync,
  NO_DEFAULT,
} from '../check.ts';
import type { Call, DegradedKind, OfResult } from '../policy.ts';
import { isProgrammingError } from '../retry/retriable.ts';

/**
 * Answers in place of a failed call. May be asynchronous; throwing leaves it to the next step. `error` is
 * what the call threw, or the result that `fallbackIfResult` did not want.
 */
export type FallbackAnswer = (error: unknown, call: Call) => unknown;

/** One rung of the ladder: a function, or one that says what its answer is and when it may give it. */
export type FallbackStep =
  | FallbackAnswer
  | {
      /** What the answer is, for the caller (`onDegraded`) and in the event. @default 'computed' */
      readonly kind?: DegradedKind;
      readonly answer: FallbackAnswer;
      /** Whether this step may answer for the error; if not, the next is asked. @default it may */
      readonly answerIf?: (error: unknown) => boolean;
    };

/** A step with everything said. */
export interface ResolvedFallbackStep {
  readonly kind: DegradedKind;
  readonly answer: FallbackAnswer;
  readonly answerIf: ((error: unknown) => boolean) | undefined;
}

export interface FallbackOptions {
  /** Names this policy in events, metrics and errors. @default 'fallback' */
  readonly name?: string;

  /** Asked in order until one answers: the cached value, then the default. (1 … 20 of them) */
  readonly steps: readonly FallbackStep[];

  /** Whether an error may be answered for. @default every error but programming errors: they would be hidden */
  readonly fallbackIf?: (error: unknown) => boolean;

  /**
   * Whether a result is no answer to be content with (a 503), and may be answered for. Where no step
   * does, it is the answer after all; where one does, `discard` receives it.
   *
   * @default every result is an answer
   */
  readonly fallbackIfResult?: OfResult<boolean>;
}

export interface ResolvedFallbackOptions extends Required<Omit<FallbackOptions, 'steps'>> {
  readonly steps: readonly ResolvedFallbackStep[];
}

const KINDS: readonly DegradedKind[] = ['cached', 'default', 'replica', 'computed'];

export const FALLBACK_DEFAULTS = {
  name: 'fallback',
  fallbackIf: (error: unknown): boolean => !isProgrammingError(error),
  fallbackIfResult: (_value: unknown): boolean => false,
} as const;

/** Fills in defaults and rejects nonsense now, while the stack still points at its author. */
export function resolveFallbackOptions(given: FallbackOptions): ResolvedFallbackOptions {
  const options = checkOptions('fallback', given, { ...FALLBACK_DEFAULTS, steps: NO_DEFAULT });
  const check = checker('fallback', options);
  check(checkName, 'name');
  const count = Array.isArray(options.steps) ? options.steps.length : 0;
  if (count < 1 || count > 20) {
    throw new RangeError(`fallback.steps must be a list of 1 to 20 functions, not ${count}.`);
  }
  check(checkSync, 'fallbackIf');
  check(checkSync, 'fallbackIfResult');
  return { ...options, steps: options.steps.map(resolveStep) };
}

function resolveStep(step: FallbackStep, i: number): ResolvedFallbackStep {
  const option = `fallback.steps[${i}]`;
  if (typeof step !== 'object' || step === null) {
    checkFunction(option, step ?? null);
    return { kind: 'computed', answer: step, answerIf: undefined };
  }
  checkOptions(option, step, { kind: 0, answer: 0, answerIf: 0 });
  const { kind = 'computed', answer, answerIf } = step;
  checkOneOf(`${option}.kind`, kind, KINDS);
  checkFunction(`${option}.answer`, answer ?? null);
  checkSync(`${option}.answerIf`, answerIf);
  return { kind, answer, answerIf };
}

import type { PolicyErrorCode } from '../errors.ts';
import type { PolicyKind } from '../policy.ts';

/** What a pipeline does to a call, at worst. */
export interface Explanation {
  /** The pipeline's name. */
  readonly name: string;
  /** Most runs of the caller's function for one call; `Infinity` where nothing limits them. */
  readonly maxAttempts: number;
  /** Longest a call can take, in milliseconds; `Infinity` where nothing limits it. */
  readonly worstCaseMs: number;
  /** What may refuse the call, in the order in which it is asked. */
  readonly refusals: readonly Refusal[];
  /** The policies, outermost first, and what each makes of everything inside it. */
  readonly steps: readonly ExplainedStep[];
  /** The same in sentences. */
  readonly words: readonly string[];
}

/** One way in which a policy says no, or breaks off. */
export interface Refusal {
  readonly policy: string;
  readonly code: PolicyErrorCode;
  /** In words, with numbers: "10 calls are running and 5 wait". */
  readonly when: string;
}

/** A policy and everything inside it. */
export interface ExplainedStep {
  readonly kind: PolicyKind;
  readonly name: string;
  readonly maxAttempts: number;
  readonly worstCaseMs: number;
}

/** What is known of a part of a pipeline: from one stage inwards. */
export interface Forecast {
  readonly maxAttempts: number;
  readonly worstCaseMs: number;
  readonly refusals: readonly Refusal[];
  readonly words: readonly string[];
}

interface Forecaster {
  readonly policy: { readonly kind: PolicyKind; readonly name: string };
  forecast(inner: Forecast): Forecast;
}

/** One run of the caller's function, which may take for ever. */
const BARE_CALL: Forecast = { maxAttempts: 1, worstCaseMs: Infinity, refusals: [], words: [] };

/** Asks the stages from the innermost outwards what they make of what is inside them. */
export function explain(name: string, stages: readonly Forecaster[]): Explanation {
  const steps: ExplainedStep[] = [];
  const whole = stages.reduceRight((inner, stage) => {
    const outer = stage.forecast(inner);
    const { maxAttempts, worstCaseMs } = outer;
    const { kind, name } = stage.policy;
    steps.unshift({ kind, name, maxAttempts, worstCaseMs });
    return outer;
  }, BARE_CALL);
  const { maxAttempts, worstCaseMs, refusals } = whole;
  return {
    name,
    maxAttempts,
    worstCaseMs,
    refusals,
    steps,
    words: [summary(whole), ...whole.words],
  };
}

function summary({ maxAttempts, worstCaseMs }: Forecast): string {
  const attempts =
    maxAttempts === Infinity
      ? 'any number of attempts'
      : `${maxAttempts} attempt${maxAttempts === 1 ? '' : 's'}`;
  const time =
    worstCaseMs === Infinity ? 'as long as the function does' : `at most ${worstCaseMs} ms`;
  return `A call makes at most ${attempts} and takes ${time}.`;
}

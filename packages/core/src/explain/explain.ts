import type { PolicyErrorCode } from '../errors.ts';
import type { Policy, PolicyKind } from '../policy.ts';
import type { Remark } from './remarks.ts';

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
  /** What is seldom meant in the order or the numbers; empty in a pipeline that is well made. */
  readonly remarks: readonly Remark[];
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

/** What a part of a pipeline does at worst: from one stage inwards. */
export interface WorstCase {
  readonly maxAttempts: number;
  readonly worstCaseMs: number;
}

/** What a stage makes of everything inside it. */
export interface Forecast extends Partial<WorstCase> {
  readonly refusals?: readonly Omit<Refusal, 'policy'>[];
  /** A sentence whose subject is the policy: it goes on after its name. */
  readonly words: string;
}

interface Forecaster {
  readonly policy: Policy;
  forecast(inner: WorstCase): Forecast;
  remarks?(inside: readonly Policy[]): readonly Remark[];
}

/** Asks the stages from the innermost outwards what they make of what is inside them. */
export function explain(name: string, stages: readonly Forecaster[]): Explanation {
  const steps: ExplainedStep[] = [];
  const refusals: Refusal[] = [];
  const sentences: string[] = [];
  // One run of the caller's function, which may take for ever.
  let whole: WorstCase = { maxAttempts: 1, worstCaseMs: Infinity };
  for (const stage of stages.toReversed()) {
    const { kind, name } = stage.policy;
    const { words, refusals: own = [], ...worse } = stage.forecast(whole);
    whole = { ...whole, ...worse };
    steps.unshift({ kind, name, ...whole });
    refusals.unshift(...own.map((refusal) => ({ policy: name, ...refusal })));
    sentences.unshift(`"${name}" ${words}`);
  }
  const policies = stages.map(({ policy }) => policy);
  const remarks = [
    ...remarksOnTime(policies, whole.worstCaseMs),
    ...stages.flatMap((stage, at) => stage.remarks?.(policies.slice(at + 1)) ?? []),
  ];
  return { name, ...whole, refusals, steps, words: [summary(whole), ...sentences], remarks };
}

function remarksOnTime(policies: readonly Policy[], worstCaseMs: number): readonly Remark[] {
  if (policies.length === 0 || worstCaseMs < Infinity) return [];
  const words =
    'Nothing limits how long a call takes. Add a timeout for each attempt, or a deadline.';
  return [{ rule: 'no-time-limit', policies: [], words }];
}

function summary({ maxAttempts, worstCaseMs }: WorstCase): string {
  const attempts =
    maxAttempts === Infinity
      ? 'any number of attempts'
      : `at most ${maxAttempts} attempt${maxAttempts === 1 ? '' : 's'}`;
  const time =
    worstCaseMs === Infinity ? 'as long as the function does' : `at most ${worstCaseMs} ms`;
  return `A call makes ${attempts} and takes ${time}.`;
}

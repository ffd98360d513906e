import type { CacheRule, FallbackRule } from '@holdfast/config';
import type { Call, CallFunction, Degraded, ExecuteOptions, Pipeline } from '@holdfast/core';
import type { PendingAnswer } from '../flow/pending-answer.ts';
import { FailedAnswer, isReplaceable, largestAnswerBytes } from './answer-policies.ts';
import { holdAnswer, type KeptAnswer, StreamedAnswer } from './kept-answer.ts';

/** What is known of a call that goes through policies. */
export interface PassageOptions {
  readonly signal: AbortSignal;
  /** Whether it can be sent again. */
  readonly idempotent: boolean;
  /** Whether it does no harm when it is executed twice at a time. */
  readonly hedgeable?: boolean;
  /** Names its answer for a cache; absent: it is not shared. */
  readonly cacheKey?: string | undefined;
  readonly onDegraded?: (how: Degraded) => void;
}

/** What the calls of all methods of a target pass, outside and inside of what each has alone. */
export interface PassageLayers {
  readonly answers: Pipeline | undefined;
  readonly hedges: Pipeline | undefined;
  readonly rules: { readonly cache?: CacheRule; readonly fallback?: FallbackRule };
  readonly nowMs: () => number;
}

/** What policies look at in an answer. */
const BEGUN = { status: 200 } as const;

/** The way of one method's calls through all policies of its target. */
export class Passage {
  /**
   * An attempt may run beside another, or for others when its client has gone:
   * what ends it is its signal, which must be listened to.
   */
  readonly detached: boolean;
  readonly #layers: PassageLayers;
  readonly #inner: readonly Pipeline[];

  /** `inner`: between answers and hedges, outermost first. */
  constructor(layers: PassageLayers, inner: readonly Pipeline[]) {
    this.#layers = layers;
    this.#inner = inner;
    this.detached = layers.answers !== undefined || layers.hedges !== undefined || inner.length > 1;
  }

  /** Runs `fn` as often as the policies say. Rejects with a policy's error, or with `fn`'s own. */
  execute(fn: CallFunction<PendingAnswer>, options: PassageOptions): Promise<PendingAnswer> {
    const { answers } = this.#layers;
    if (answers === undefined) return this.#attempts(fn, options, 0, undefined);
    return this.#answered(answers, fn, options);
  }

  /**
   * Asks whether a call may begin of which the policies are told no more: to them it has done
   * well. Rejects with a policy's error.
   */
  async admit(): Promise<void> {
    for (const layer of this.#inner) await layer.execute(() => BEGUN);
  }

  /** The layers from `at` on, inside `outer`. */
  #attempts(
    fn: CallFunction<PendingAnswer>,
    options: PassageOptions,
    at: number,
    outer: Call | undefined,
  ): Promise<PendingAnswer> {
    const inner = this.#inner;
    const { hedges } = this.#layers;
    const layer = inner[at];
    if (layer !== undefined) {
      const last = at === inner.length - 1 && (hedges === undefined || !options.hedgeable);
      const next: CallFunction<PendingAnswer> = last
        ? fn
        : (call) => this.#attempts(fn, options, at + 1, call);
      return layer.execute(next, executeOptions(options, outer));
    }
    if (hedges !== undefined && options.hedgeable) {
      return hedges.execute(fn, executeOptions(options, outer));
    }
    // A target with nothing but an answer layer.
    return Promise.resolve(fn(outer!));
  }

  async #answered(
    answers: Pipeline,
    fn: CallFunction<PendingAnswer>,
    options: PassageOptions,
  ): Promise<PendingAnswer> {
    const { rules, nowMs } = this.#layers;
    const { cacheKey, signal, idempotent, onDegraded } = options;
    const limitBytes =
      rules.cache === undefined || cacheKey === undefined ? 0 : largestAnswerBytes(rules.cache);
    const ask = async (call: Call): Promise<KeptAnswer> => {
      const answer = await this.#attempts(fn, options, 0, call);
      const kept =
        limitBytes === 0 ? new StreamedAnswer(answer) : await holdAnswer(answer, limitBytes, nowMs);
      if (isReplaceable(kept.status, rules)) throw new FailedAnswer(kept);
      return kept;
    };
    const kept = await answers
      .execute(ask, {
        signal,
        idempotent,
        ...(limitBytes === 0 ? {} : { cacheKey: cacheKey! }),
        ...(onDegraded === undefined ? {} : { onDegraded }),
        discard: (answer: KeptAnswer) => answer.discard(),
      })
      .catch((error: unknown) => {
        if (error instanceof FailedAnswer) return error.answer;
        throw error;
      });
    const answer = kept.take(nowMs());
    if (answer !== undefined) return answer;
    // It was too long to be shared, and another who waited for it has it: this one asks for itself.
    const { cacheKey: _, ...alone } = options;
    return this.#answered(answers, fn, alone);
  }
}

const discard = (answer: PendingAnswer): void => answer.discard();

function executeOptions(
  { signal, idempotent }: PassageOptions,
  outer: Call | undefined,
): ExecuteOptions<PendingAnswer> {
  if (outer === undefined) return { signal, idempotent, discard };
  const left = outer.remainingMs;
  return {
    signal: outer.signal,
    idempotent,
    discard,
    ...(left === Number.POSITIVE_INFINITY ? {} : { deadlineMs: Math.max(0, left) }),
  };
}

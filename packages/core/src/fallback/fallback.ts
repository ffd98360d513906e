import type { Operation } from '../engine/operation.ts';
import type { Exit, Stage, StageWorld } from '../engine/stage.ts';
import type { Forecast } from '../explain/explain.ts';
import type { Policy } from '../policy.ts';
import {
  FALLBACK_DEFAULTS,
  type FallbackOptions,
  type ResolvedFallbackOptions,
  type ResolvedFallbackStep,
  resolveFallbackOptions,
} from './options.ts';

/**
 * Answers in place of a call that failed: the steps are asked in order until
 * one answers. The call then counts as degraded. When none does, the call's own
 * error is thrown, since that one tells what is wrong, or its own result given.
 *
 * @throws RangeError for a value out of range, TypeError for a name that is no option.
 */
export function fallback(given: FallbackOptions): Policy<ResolvedFallbackOptions> {
  const options = resolveFallbackOptions(given);
  const policy: Policy<ResolvedFallbackOptions> = {
    kind: 'fallback',
    name: options.name,
    options,
    stage: (world) => new FallbackStage(policy, world),
  };
  return policy;
}

/** What one operation keeps for its fallback. */
interface Ladder {
  /** The step that is answering, from 1; 0 while the call itself runs. */
  step: number;
  /** What the call itself came to: an error, or a result that is not to be content with. */
  own: unknown;
  /** Where it is a result, and no error: whether that still is to be given or discarded, for a step that outlives the call. */
  held: Held | undefined;
}

interface Held {
  readonly own: unknown;
  /** It was discarded. */
  dropped: boolean;
  /** A step has answered with it: whoever hears that answer gives or discards it. */
  taken: boolean;
}

class FallbackStage implements Stage {
  readonly policy: Policy<ResolvedFallbackOptions>;
  readonly continues = true;
  readonly #options: ResolvedFallbackOptions;
  readonly #world: StageWorld;
  readonly #judgesResults: boolean;

  constructor(policy: Policy<ResolvedFallbackOptions>, world: StageWorld) {
    this.policy = policy;
    this.#options = policy.options;
    this.#world = world;
    const { fallbackIfResult } = policy.options;
    this.#judgesResults = fallbackIfResult !== FALLBACK_DEFAULTS.fallbackIfResult;
  }

  slot(): Ladder {
    return { step: 0, own: undefined, held: undefined };
  }

  enter(op: Operation, index: number): undefined {
    (op.slots[index] as Ladder).step = 0;
  }

  leave(op: Operation, index: number, value: unknown, failed: boolean): Exit {
    const ladder = op.slots[index] as Ladder;
    if (ladder.step === 0) {
      const { fallbackIf, fallbackIfResult } = this.#options;
      const wanted = failed ? fallbackIf(value) : this.#judgesResults && fallbackIfResult(value);
      if (!wanted) return undefined;
      ladder.own = value;
      ladder.held = failed ? undefined : { own: value, dropped: false, taken: false };
    } else if (!failed) return this.#answered(op, ladder, value);
    const { held, own } = ladder;
    const step = this.#nextFor(ladder);
    if (step !== undefined) {
      return op.instead((call) => {
        const answer = step.answer(own, call);
        return held === undefined ? answer : onceOf(held, answer);
      });
    }
    ladder.own = undefined;
    ladder.held = undefined;
    return op.answer(own, held === undefined);
  }

  abandon(op: Operation, index: number): void {
    const ladder = op.slots[index] as Ladder;
    if (ladder.step > 0) this.#dropOwn(op, ladder);
  }

  forecast(): Forecast {
    const count = this.#options.steps.length;
    return {
      worstCaseMs: Infinity,
      words: `answers for a call that fails, in up to ${count} steps; only a limit outside it limits their time.`,
    };
  }

  /** The next step that may answer for the error; a predicate that throws says no. */
  #nextFor(ladder: Ladder): ResolvedFallbackStep | undefined {
    const { steps } = this.#options;
    while (ladder.step < steps.length) {
      const step = steps[ladder.step]!;
      ladder.step += 1;
      if (mayAnswer(step, ladder.own)) return step;
    }
    return undefined;
  }

  /** What the call itself came to reaches nobody but a step. */
  #dropOwn(op: Operation, ladder: Ladder): void {
    const { held } = ladder;
    if (held !== undefined && !held.taken) {
      held.dropped = true;
      op.caller.discard(held.own);
    }
    ladder.own = undefined;
    ladder.held = undefined;
  }

  #answered(op: Operation, ladder: Ladder, answer: unknown): undefined {
    const { step, own: error } = ladder;
    const { kind } = this.#options.steps[step - 1]!;
    const { reporter } = this.#world;
    const { name: policy } = this.policy;
    // A step may have found that it is good enough after all.
    if (answer !== error) this.#dropOwn(op, ladder);
    ladder.own = undefined;
    ladder.held = undefined;
    op.degraded = { policy, kind, error };
    if (reporter.listening) {
      reporter.report(op.id, { type: 'fallback', policy, step, kind, error });
    }
  }
}

/** A step may answer with the call's own result, also when the call was broken off: that is discarded once at most. */
function onceOf(held: Held, answer: unknown): unknown {
  if (answer instanceof Promise) return answer.then((late: unknown) => onceOf(held, late));
  if (answer !== held.own) return answer;
  if (held.dropped) return undefined;
  held.taken = true;
  return answer;
}

function mayAnswer({ answerIf }: ResolvedFallbackStep, error: unknown): boolean {
  try {
    return answerIf === undefined || answerIf(error);
  } catch {
    // What is in trouble already must not fail for that: the next step may know better.
    return false;
  }
}

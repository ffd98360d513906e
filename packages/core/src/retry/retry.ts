import { deposit, withdraw } from '../budget/spending.ts';
import type { Timer } from '../clock.ts';
import type { Operation } from '../engine/operation.ts';
import { type Exit, HELD, type Stage, type StageWorld } from '../engine/stage.ts';
import type { Forecast, WorstCase } from '../explain/explain.ts';
import { type Remark, remarkOnFallback, remarkOnOrder } from '../explain/remarks.ts';
import type { PolicySnapshot } from '../pipeline.ts';
import type { Policy } from '../policy.ts';
import { decide, type StopReason } from './decide.ts';
import { forecastRetry } from './forecast.ts';
import {
  RETRY_DEFAULTS,
  type ResolvedRetryOptions,
  type RetryOptions,
  resolveRetryOptions,
} from './options.ts';

/**
 * Tries again when a call fails, waiting longer each time.
 *
 * When retries run out or an error does not deserve one, that error is thrown
 * as it was. An abort while waiting ends the wait and throws the abort's reason.
 *
 * @throws RangeError for a value out of range, TypeError for a name that is no option.
 */
export function retry(given: RetryOptions = {}): Policy<ResolvedRetryOptions> {
  const options = resolveRetryOptions(given);
  const policy: Policy<ResolvedRetryOptions> = {
    kind: 'retry',
    name: options.name,
    options,
    stage: (world) => new RetryStage(policy, world),
  };
  return policy;
}

/** What one operation keeps for its retry. */
interface Run {
  retries: number;
  /** Runs of the caller's function before the attempt that is under way. */
  runsBefore: number;
  startedMs: number;
  /** The last wait; 0 before the first. */
  waitedMs: number;
  wait: Timer | undefined;
}

class RetryStage implements Stage {
  readonly policy: Policy<ResolvedRetryOptions>;
  readonly continues = true;
  readonly #options: ResolvedRetryOptions;
  readonly #world: StageWorld;
  readonly #timed: boolean;
  readonly #judgesResults: boolean;

  constructor(policy: Policy<ResolvedRetryOptions>, world: StageWorld) {
    this.policy = policy;
    this.#options = policy.options;
    this.#world = world;
    this.#judgesResults = policy.options.retryIfResult !== RETRY_DEFAULTS.retryIfResult;
    this.#timed = policy.options.maxElapsedMs !== Infinity;
  }

  slot(): Run {
    return { retries: 0, runsBefore: 0, startedMs: 0, waitedMs: 0, wait: undefined };
  }

  enter(op: Operation, index: number): undefined {
    const run = op.slots[index] as Run;
    run.retries = 0;
    run.waitedMs = 0;
    run.runsBefore = op.attempts;
    if (this.#timed || this.#options.budget !== undefined) this.#begin(op, run);
  }

  #begin(op: Operation, run: Run): void {
    deposit(this.#options.budget, op, this.#world);
    if (this.#timed) run.startedMs = this.#world.clock.now();
  }

  leave(op: Operation, index: number, value: unknown, failed: boolean): Exit {
    return failed || this.#judgesResults ? this.#judge(op, index, value, failed) : undefined;
  }

  #judge(op: Operation, index: number, value: unknown, failed: boolean): Exit {
    const run = op.slots[index] as Run;
    const { clock, random } = this.#world;
    const decision = decide(
      {
        value,
        failed,
        retries: run.retries,
        previousMs: run.waitedMs,
        elapsedMs: this.#timed ? clock.now() - run.startedMs : 0,
        mayHaveActed: !op.caller.idempotent && op.attempts > run.runsBefore,
        remainingMs: () => op.remainingMs(index),
        withinBudget: () => withdraw(this.#options.budget, this.#world, this.policy.name, op.id),
      },
      random.next(),
      this.#options,
    );
    switch (decision.kind) {
      case 'pass':
        return undefined;
      case 'stop':
        this.#reportStop(op.id, run.retries + 1, decision.why, value, failed);
        return undefined;
      case 'again':
        this.#again(op, index, decision.delayMs, value, failed);
        return HELD;
    }
  }

  abandon(op: Operation, index: number): void {
    const run = op.slots[index] as Run;
    run.wait?.cancel();
    run.wait = undefined;
  }

  forecast(inner: WorstCase): Forecast {
    return forecastRetry(inner, this.#options);
  }

  remarks(inside: readonly Policy[]): readonly Remark[] {
    const { policy } = this;
    const words = (inner: string) =>
      `"${policy.name}" tries again what "${inner}" has tried again already, and attempts multiply. Keep one.`;
    return [
      ...remarkOnOrder('retries-multiply', policy, inside, 'retry', words),
      ...remarkOnFallback(policy, inside),
    ];
  }

  inspect(): Partial<PolicySnapshot> {
    const { budget } = this.#options;
    return budget === undefined ? {} : { budget: budget.inspect(this.#world.clock.now()) };
  }

  #again(op: Operation, index: number, delayMs: number, value: unknown, failed: boolean): void {
    const { clock, reporter } = this.#world;
    const run = op.slots[index] as Run;
    run.retries += 1;
    run.waitedMs = delayMs;
    run.runsBefore = op.attempts;
    if (!failed) op.caller.discard(value);
    if (reporter.listening) {
      const { name: policy } = this.policy;
      const error = failed ? { error: value } : undefined;
      reporter.report(op.id, { type: 'retry', policy, attempt: run.retries, delayMs, ...error });
    }
    op.keepContext();
    run.wait = clock.timer(delayMs, () => {
      run.wait = undefined;
      op.resume(index);
    });
  }

  #reportStop(
    call: number,
    attempts: number,
    why: StopReason,
    value: unknown,
    failed: boolean,
  ): void {
    const { reporter } = this.#world;
    if (!reporter.listening) return;
    const { name: policy } = this.policy;
    const error = failed ? { error: value } : undefined;
    reporter.report(call, { type: 'retry-stopped', policy, attempts, why, ...error });
  }
}

import type { Criticality, Degraded, ExecuteOptions } from '../../policy.ts';
import { discard } from '../late-result.ts';
import { letFail } from '../report/let-fail.ts';
import type { StageWorld } from '../stage.ts';
import { Alarm, type Ringing } from '../timers/alarm.ts';
import { outOfTime, refusalBy } from './caller-limits.ts';

/** Stands for the caller where a stage's index is asked for: outside of them all. */
export const CALLER = -1;

/** What an operation is to the caller's signal and deadline. */
interface Called extends Ringing {
  /** The caller has aborted the call. */
  callerGone(): void;
}

/** What the caller said about one call: kept by its pooled operation, let go of when it ends. */
export class Caller {
  /** Undefined where the caller said nothing. */
  options: ExecuteOptions<never> | undefined = undefined;
  /** The caller's signal, once it is listened to. */
  #signal: AbortSignal | undefined = undefined;
  #deadline: Alarm | undefined = undefined;
  readonly #world: StageWorld;
  readonly #called: Called;
  readonly #onAbort: () => void;

  constructor(world: StageWorld, called: Called) {
    this.#world = world;
    this.#called = called;
    this.#onAbort = () => called.callerGone();
  }

  /** Takes the caller's options; what ends the call before it begins, if anything does. */
  accept(options: ExecuteOptions<never>): ReturnType<typeof refusalBy> {
    const refusal = refusalBy(options, this.#world.pipeline);
    if (refusal !== undefined) return refusal;
    this.options = options;
    const { signal, deadlineMs } = options;
    if (signal !== undefined) {
      this.#signal = signal;
      signal.addEventListener('abort', this.#onAbort);
    }
    if (deadlineMs !== undefined) {
      this.#deadline ??= new Alarm(this.#called, CALLER);
      this.#world.alarms.arm(this.#deadline, deadlineMs);
    }
    return undefined;
  }

  get aborted(): boolean {
    return this.#signal?.aborted === true;
  }

  get reason(): unknown {
    return this.#signal?.reason;
  }

  /** Time left of what the caller gave; `Infinity` where it gave none. */
  get remainingMs(): number {
    return this.#deadline === undefined ? Infinity : this.#world.alarms.remainingMs(this.#deadline);
  }

  /** The error of a call that took longer than it was given. */
  outOfTime(): Error {
    return outOfTime(this.#world.pipeline, this.options?.deadlineMs ?? 0);
  }

  get criticality(): Criticality {
    return this.options?.criticality ?? 'critical';
  }

  /** Whether an attempt that may have been executed may be repeated. */
  get idempotent(): boolean {
    return this.options?.idempotent !== false;
  }

  /** Tells the caller that its answer is not the dependency's own. */
  tellDegraded(how: Degraded): void {
    try {
      letFail(this.options?.onDegraded?.(how));
    } catch {
      // As with a listener: the call has its answer, and that stands.
    }
  }

  /** Gives a result that nobody will see to who made it. */
  discard(value: unknown): void {
    discard(this.options, value);
  }

  /** Lets go of what it was given. */
  release(): void {
    if (this.options !== undefined) this.#release();
  }

  #release(): void {
    this.options = undefined;
    if (this.#signal !== undefined) {
      this.#signal.removeEventListener('abort', this.#onAbort);
      this.#signal = undefined;
    }
    if (this.#deadline !== undefined) this.#world.alarms.disarm(this.#deadline);
  }
}

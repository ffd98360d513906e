import type { CallFunction } from '../policy.ts';
import { lateListener } from './late-result.ts';
import type { Operation } from './operation.ts';

export type AnyFunction = CallFunction<unknown>;

/** Hears of the outcome of a function that its operation no longer waits for. */
export type LateListener = (value: unknown, failed: boolean) => void;

/**
 * The two callbacks that wait for one run of the caller's function, bound once
 * and pooled with their operation. An operation that stops waiting leaves its
 * flight behind and takes a new one: the late result then reaches nobody but
 * `late`, however much later it comes.
 */
export class Flight {
  /** The stage to which the outcome goes up. */
  level = 0;
  #op: Operation | undefined;
  #late: LateListener | undefined = undefined;
  readonly ok: (value: unknown) => void;
  readonly err: (error: unknown) => void;

  constructor(op: Operation) {
    this.#op = op;
    this.ok = (value) => this.#land(value, false);
    this.err = (error) => this.#land(error, true);
  }

  /** Waits for nobody any more; answers with the flight that takes its place. */
  leaveBehind(op: Operation): Flight {
    this.#op = undefined;
    this.#late = lateListener(op.program.world, op.id, op.caller.options);
    return new Flight(op);
  }

  #land(value: unknown, failed: boolean): void {
    if (this.#op !== undefined) this.#op.landed(this.level, value, failed);
    else this.#late?.(value, failed);
  }
}

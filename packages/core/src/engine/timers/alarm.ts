/** What rings when an alarm's time has come: an operation. */
export interface Ringing {
  ring(index: number): void;
}

/**
 * A wait that an operation arms anew for each call without allocating: a place
 * in a list that is part of the pooled operation. `index` tells the operation
 * which of its stages armed it.
 */
export class Alarm {
  /** Neighbours in a ring; alone, and so in no list, when they are the alarm itself. */
  prev: Alarm = this;
  next: Alarm = this;
  /** How long it waits, in milliseconds; -1 while it is not armed. */
  ms = -1;
  /** Clock time at which it may ring; -1 until the clock has been read for it. */
  dueMs = -1;
  /** Cancels the wait, where a clock without a wheel keeps it. */
  cancel: (() => void) | undefined = undefined;
  readonly #bell: Ringing | undefined;
  readonly #index: number;

  constructor(bell?: Ringing, index = 0) {
    this.#bell = bell;
    this.#index = index;
  }

  get linked(): boolean {
    return this.next !== this;
  }

  linkBefore(head: Alarm): void {
    const last = head.prev;
    this.prev = last;
    this.next = head;
    last.next = this;
    head.prev = this;
  }

  unlink(): void {
    this.prev.next = this.next;
    this.next.prev = this.prev;
    this.prev = this;
    this.next = this;
  }

  ring(): void {
    this.#bell?.ring(this.#index);
  }
}

/** Waits for many alarms at once. None rings early. */
export interface Alarms {
  /** Rings after `ms`, or a little more; `Infinity` never. An armed alarm must not be armed again. */
  arm(alarm: Alarm, ms: number): void;
  /** Does nothing to an alarm that is not armed. */
  disarm(alarm: Alarm): void;
  /** Milliseconds left, 0 or more; `Infinity` when it is not armed. */
  remainingMs(alarm: Alarm): number;
}

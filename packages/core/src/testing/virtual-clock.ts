import { checkNumber } from '../check.ts';
import { type Clock, sleepOn, type Timer } from '../clock.ts';

interface Pending {
  readonly atMs: number;
  readonly order: number;
  fire: (() => void) | undefined;
}

/**
 * A clock that moves only when told to, or when everything waits for it.
 *
 * `run` drives work to its end: it lets the code run until nothing is left to do
 * but wait, then jumps to the earliest timer. The same code fires in the same
 * order every time; timers of the same moment in the order in which they were
 * set. Real input and output inside of `run` is not under its control.
 */
export class VirtualClock implements Clock {
  #nowMs = 0;
  #wallOffsetMs = 0;
  #order = 0;
  /** A binary heap, earliest first. */
  readonly #heap: Pending[] = [];
  #pending = 0;

  now(): number {
    return this.#nowMs;
  }

  /** Whole milliseconds, as `Date.now()`: jitter makes the time between them fractions. */
  wallMs(): number {
    return Math.floor(this.#nowMs + this.#wallOffsetMs);
  }

  /** Timers set and neither fired nor cancelled: what a test for leaks asks. */
  get pendingTimers(): number {
    return this.#pending;
  }

  /** Sets the wall clock forward or back, as an operator does. Nothing that is measured may notice. */
  jumpWall(byMs: number): void {
    checkNumber('jumpWall.byMs', byMs, Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
    this.#wallOffsetMs += byMs;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return sleepOn(this, ms, signal);
  }

  timer(ms: number, fire: () => void): Timer {
    // As `setTimeout` reads it: what is no number is no wait.
    const waitMs = Math.max(0, Number(ms) || 0);
    const pending: Pending = { atMs: this.#nowMs + waitMs, order: this.#order, fire };
    this.#order += 1;
    this.#pending += 1;
    // One that never comes is no moment to jump to.
    if (waitMs < Infinity) this.#push(pending);
    return {
      cancel: () => {
        if (pending.fire === undefined) return;
        pending.fire = undefined;
        this.#pending -= 1;
      },
    };
  }

  /** Runs `work`, jumping from timer to timer, and resolves or rejects as it does. */
  async run<T>(work: () => PromiseLike<T> | T): Promise<T> {
    let done = false;
    const result = (async () => work())().finally(() => {
      done = true;
    });
    // It is awaited below; until then its failure is not unhandled.
    result.catch(() => {});
    for (;;) {
      await quiet();
      if (done) return result;
      const next = this.#earliest();
      if (next === undefined) {
        throw new Error(
          'Deadlock: the work is not done, and no timer is set that could go on with it.',
        );
      }
      this.#fire(next);
    }
  }

  /** Lets `ms` pass and fires what falls due on the way, each at its own moment. */
  async advance(ms: number): Promise<void> {
    checkNumber('advance.ms', ms, 0, Number.MAX_SAFE_INTEGER);
    const untilMs = this.#nowMs + ms;
    for (;;) {
      await quiet();
      const next = this.#earliest();
      if (next === undefined || next.atMs > untilMs) break;
      this.#fire(next);
    }
    this.#nowMs = untilMs;
  }

  #earliest(): Pending | undefined {
    while (this.#heap.length > 0 && this.#heap[0]!.fire === undefined) this.#pop();
    return this.#heap[0];
  }

  #fire(next: Pending): void {
    this.#pop();
    this.#nowMs = next.atMs;
    this.#pending -= 1;
    const fire = next.fire;
    next.fire = undefined;
    fire?.();
  }

  #push(pending: Pending): void {
    const heap = this.#heap;
    let i = heap.length;
    heap.push(pending);
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (!before(pending, heap[parent]!)) break;
      heap[i] = heap[parent]!;
      i = parent;
    }
    heap[i] = pending;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child += 1;
      if (!before(heap[child]!, last)) break;
      heap[i] = heap[child]!;
      i = child;
    }
    heap[i] = last;
  }
}

const before = (a: Pending, b: Pending) =>
  a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);

/** Resolves when all promise reactions that were due, and those they made due, have run. */
function quiet(): Promise<void> {
  return new Promise((resolve) => {
    if (typeof setImmediate === 'function') {
      setImmediate(resolve);
      return;
    }
    // Browsers: a message is the shortest way round the event loop.
    const { port1, port2 } = new MessageChannel();
    port1.addEventListener('message', () => {
      port1.close();
      resolve();
    });
    port1.start();
    port2.postMessage(undefined);
  });
}

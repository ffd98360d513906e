import type { AnswerSink, Flow } from './answer.ts';

/** Bytes held before somebody decides what becomes of an answer; beyond, its sender waits. */
const HELD_BYTES = 64 * 1024;
/** Bytes of an unwanted answer read for the sake of its connection; beyond, the connection goes. */
const DRAIN_BYTES = 64 * 1024;

/**
 * An answer whose head has come and whose fate is open: the policies decide by
 * its status whether it is passed on (`forwardTo`) or thrown away (`discard`).
 * What arrives until then is held, up to one socket read or so.
 */
export class PendingAnswer implements AnswerSink, Flow {
  status = 0;
  headers: string[] = [];
  #resolve: ((answer: PendingAnswer) => void) | undefined;
  #reject: (error: Error) => void;
  #flow: Flow | undefined;
  #sink: AnswerSink | undefined;
  #held: Buffer[] | undefined;
  #heldBytes = 0;
  #last: Buffer | null = null;
  #ended = false;
  #error: Error | undefined;
  #discarded = false;
  /** By who receives it: cannot take more for now. */
  #paused = false;

  /** `resolve` hears the head, `reject` a failure before it; exactly one of them, once. */
  constructor(resolve: (answer: PendingAnswer) => void, reject: (error: Error) => void) {
    this.#resolve = resolve;
    this.#reject = reject;
  }

  head(status: number, headers: string[], flow: Flow): void {
    this.status = status;
    this.headers = headers;
    this.#flow = flow;
    const resolve = this.#resolve;
    this.#resolve = undefined;
    resolve?.(this);
  }

  data(chunk: Buffer): void {
    if (this.#sink !== undefined) {
      this.#sink.data(chunk);
      return;
    }
    this.#heldBytes += chunk.length;
    if (this.#discarded) {
      if (this.#heldBytes > DRAIN_BYTES) this.#flow?.abort(new Error('unwanted answer'));
      return;
    }
    this.#held ??= [];
    this.#held.push(chunk);
    if (this.#heldBytes > HELD_BYTES) this.#flow?.pause();
  }

  end(last: Buffer | null): void {
    this.#ended = true;
    if (this.#sink !== undefined) this.#sink.end(last);
    else if (!this.#discarded) this.#last = last;
  }

  fail(error: Error): void {
    this.#ended = true;
    if (this.#resolve !== undefined) {
      this.#resolve = undefined;
      this.#reject(error);
    } else if (this.#sink !== undefined) this.#sink.fail(error);
    else this.#error = error;
  }

  /** Passes the answer on, from its head, and from now on as it comes. */
  forwardTo(sink: AnswerSink): void {
    this.#sink = sink;
    sink.head(this.status, this.headers, this, this.#ended);
    if (this.#held !== undefined) {
      for (const chunk of this.#held) sink.data(chunk);
      this.#held = undefined;
      // A receiver that what was held is too much for already goes on by itself.
      if (!this.#paused) this.#flow!.resume();
    }
    if (this.#error !== undefined) sink.fail(this.#error);
    else if (this.#ended) sink.end(this.#last);
  }

  pause(): void {
    this.#paused = true;
    this.#flow?.pause();
  }

  resume(): void {
    this.#paused = false;
    this.#flow?.resume();
  }

  /** Gives up what has not arrived yet. */
  abort(reason: Error): void {
    if (!this.#ended) this.#flow?.abort(reason);
  }

  /** Nobody wants this answer. A short one is read to its end, to keep its connection. */
  discard(): void {
    this.#discarded = true;
    this.#held = undefined;
    this.#last = null;
    if (this.#ended) return;
    if (this.#heldBytes > DRAIN_BYTES) this.#flow?.abort(new Error('unwanted answer'));
    else this.#flow?.resume();
  }
}

import type { AnswerSink, Flow } from '../../flow/answer.ts';
import { ClientGoneError } from '../../flow/upstream-error.ts';

/** What an answer is made of, in order: its head, and parts of its body. */
export type AnswerPart =
  | { readonly kind: 'head'; readonly status: number; readonly headers: readonly string[] }
  | { readonly kind: 'data'; readonly bytes: Buffer };

/** What may wait for a caller that is slow. */
const HIGH_BYTES = 128 * 1024;
/** Each part is a message, and gRPC's clients take 4 MiB unless told otherwise. */
const PART_BYTES = 64 * 1024;

/** An answer as somebody reads it; who answers is slowed down to the reader's pace. */
export class AnswerParts implements AnswerSink, AsyncIterable<AnswerPart> {
  readonly #parts: AnswerPart[] = [];
  #bytes = 0;
  #flow: Flow | undefined;
  #paused = false;
  #ended = false;
  #failure: Error | undefined;
  #wake: (() => void) | undefined;

  head(status: number, headers: string[], flow: Flow): void {
    this.#flow = flow;
    this.#put({ kind: 'head', status, headers });
  }

  data(bytes: Buffer): void {
    this.#bytes += bytes.length;
    for (let at = 0; at < bytes.length; at += PART_BYTES) {
      this.#put({ kind: 'data', bytes: bytes.subarray(at, at + PART_BYTES) });
    }
    if (this.#bytes < HIGH_BYTES || this.#paused) return;
    this.#paused = true;
    this.#flow?.pause();
  }

  end(last: Buffer | null): void {
    if (last !== null && last.length > 0) this.data(last);
    this.#end(undefined);
  }

  fail(error: Error): void {
    this.#end(error);
  }

  /** Throws what the answer failed with, after what has come of it; who stops reading gives it up. */
  async *[Symbol.asyncIterator](): AsyncIterator<AnswerPart> {
    try {
      for (;;) {
        const part = this.#parts.shift();
        if (part !== undefined) {
          if (part.kind === 'data') this.#taken(part.bytes.length);
          yield part;
        } else if (this.#ended) break;
        else {
          await new Promise<void>((resolve) => {
            this.#wake = resolve;
          });
        }
      }
      if (this.#failure !== undefined) throw this.#failure;
    } finally {
      if (!this.#ended) this.#flow?.abort(new ClientGoneError());
    }
  }

  #put(part: AnswerPart): void {
    this.#parts.push(part);
    this.#wake?.();
  }

  #taken(bytes: number): void {
    this.#bytes -= bytes;
    if (!this.#paused || this.#bytes >= HIGH_BYTES / 2) return;
    this.#paused = false;
    this.#flow?.resume();
  }

  #end(failure: Error | undefined): void {
    if (this.#ended) return;
    this.#failure = failure;
    this.#ended = true;
    this.#wake?.();
  }
}

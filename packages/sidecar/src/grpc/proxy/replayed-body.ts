import { Readable } from 'node:stream';
import { MessageScanner } from '../wire/message-scanner.ts';

/** A second message came, and a call with retries has room for one: in Dapr's words. */
export class RetriedStreamError extends Error {
  readonly code = 'RETRIED_STREAM';

  constructor() {
    super('cannot use resiliency policies with retries on streaming RPCs');
    this.name = 'RetriedStreamError';
  }
}

/**
 * The messages of a gRPC client, for a call that may be sent again: what has
 * come is kept and played again to each attempt. That is one message; a client
 * that sends more says by `dapr-stream` that its call is a stream, which is not
 * sent again.
 */
export class ReplayedBody {
  readonly #source: Readable;
  readonly #kept: Buffer[] = [];
  readonly #scanner: MessageScanner;
  readonly #mayRepeat: boolean;
  #attempt: Readable | undefined;
  #attempts = 0;
  #ended = false;
  #error: Error | undefined;

  /** `mayRepeat`: without, one attempt gets all there is, and nothing is kept. */
  constructor(source: Readable, limitBytes: number, mayRepeat: boolean) {
    this.#source = source;
    this.#scanner = new MessageScanner(limitBytes);
    this.#mayRepeat = mayRepeat;
    source.on('data', (chunk: Buffer) => this.#take(chunk));
    source.on('end', () => {
      this.#ended = true;
      this.#attempt?.push(null);
    });
    source.on('error', (error: Error) => this.#fail(error));
    source.pause();
  }

  /** The body of the next attempt; undefined where there can be none. */
  next(): Readable | undefined {
    if (this.#attempts > 0 && !this.#mayRepeat) return undefined;
    this.#attempts += 1;
    const attempt = new Readable({ read: () => void this.#source.resume() });
    // Its failure is told by the call that carries it.
    attempt.on('error', () => {});
    this.#attempt = attempt;
    for (const chunk of this.#kept) attempt.push(chunk);
    if (this.#error !== undefined) attempt.destroy(this.#error);
    else if (this.#ended) attempt.push(null);
    return attempt;
  }

  #take(chunk: Buffer): void {
    try {
      this.#scanner.scan(chunk);
    } catch (error) {
      this.#fail(error as Error);
      return;
    }
    if (this.#mayRepeat && this.#scanner.messages > 1) {
      this.#fail(new RetriedStreamError());
      return;
    }
    if (this.#mayRepeat) this.#kept.push(chunk);
    if (this.#attempt?.push(chunk) === false) this.#source.pause();
  }

  #fail(error: Error): void {
    this.#error ??= error;
    this.#attempt?.destroy(this.#error);
  }
}

import { Code, ConnectError } from '@connectrpc/connect';

/** Messages on their way into a stream, as far as its client is behind. */
export class MessageQueue<T> implements AsyncIterable<T> {
  readonly #limit: number;
  readonly #messages: T[] = [];
  #wake: (() => void) | undefined;
  #ended = false;
  #overrun = false;

  /** `limit`: messages that may wait; a client that is further behind loses the stream. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  put(message: T): void {
    if (this.#ended) return;
    if (this.#messages.length >= this.#limit) {
      this.#overrun = true;
      this.end();
      return;
    }
    this.#messages.push(message);
    this.#wake?.();
  }

  /** What waits is still delivered. */
  end(): void {
    this.#ended = true;
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncIterator<T> {
    for (;;) {
      const message = this.#messages.shift();
      if (message !== undefined) yield message;
      else if (this.#ended) break;
      else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    }
    if (this.#overrun) {
      const why = `the client is more than ${this.#limit} messages behind; read faster, or subscribe again`;
      throw new ConnectError(why, Code.ResourceExhausted);
    }
  }
}

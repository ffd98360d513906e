import { Code, ConnectError } from '@connectrpc/connect';

/** Messages on their way into a stream, as far as its client is behind. */
export class MessageQueue<T> implements AsyncIterable<T> {
  readonly #limit: number;
  readonly #messages: T[] = [];
  #wake: (() => void) | undefined;
  #ended = false;
  #failure: ConnectError | undefined;

  /** `limit`: messages that may wait; a client that is further behind loses the stream. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  put(message: T): void {
    if (this.#ended) return;
    if (this.#messages.length >= this.#limit) {
      const why = `the client is more than ${this.#limit} messages behind; read faster, or subscribe again`;
      this.end(new ConnectError(why, Code.ResourceExhausted));
      return;
    }
    this.#messages.push(message);
    this.#wake?.();
  }

  /** What waits is still delivered, and then the failure, of several the first. */
  end(failure?: ConnectError): void {
    this.#failure ??= failure;
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
    if (this.#failure !== undefined) throw this.#failure;
  }
}

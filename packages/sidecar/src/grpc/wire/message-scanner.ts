import { framed, MESSAGE_HEAD_BYTES as HEAD_BYTES } from './message-frame.ts';

/** Set in the flags of a frame that holds trailers instead of a message, as in gRPC-Web. */
const TRAILERS = 0x80;

/** The message is longer than may be. */
export class MessageTooLargeError extends Error {
  readonly code = 'MESSAGE_TOO_LARGE';

  constructor(bytes: number, limitBytes: number) {
    super(`grpc: received message larger than max (${bytes} vs. ${limitBytes})`);
    this.name = 'MessageTooLargeError';
  }
}

/**
 * Follows the frames in a stream of bytes, whatever the chunks they come in.
 * Messages are handed on as they come; trailers are kept.
 */
export class MessageScanner {
  /** Messages whose head has come. */
  messages = 0;
  readonly #limitBytes: number;
  /** Of a head that came in two chunks. */
  #head: Buffer = EMPTY;
  /** Bytes of the frame that are still to come. */
  #left = 0;
  #inTrailers = false;
  readonly #trailers: Buffer[] = [];

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  /** Whether a frame has begun and not ended: a stream that ends here was cut. */
  get within(): boolean {
    return this.#head.length > 0 || this.#left > 0;
  }

  /** The trailers' text, once they have come. */
  get trailers(): string | undefined {
    if (!this.#inTrailers || this.within) return undefined;
    return Buffer.concat(this.#trailers).toString('latin1');
  }

  /**
   * Looks at the next bytes; returns those that are of messages, most often the
   * chunk itself.
   *
   * @throws MessageTooLargeError
   */
  scan(chunk: Buffer): readonly Buffer[] {
    const out: Buffer[] = [];
    let from = 0;
    let at = 0;
    const flush = (to: number): void => {
      if (to > from) out.push(chunk.subarray(from, to));
    };
    while (at < chunk.length) {
      if (this.#left > 0) {
        const end = Math.min(chunk.length, at + this.#left);
        if (this.#inTrailers) {
          this.#trailers.push(chunk.subarray(at, end));
          from = end;
        }
        this.#left -= end - at;
        at = end;
      } else if (this.#head.length === 0 && chunk.length - at >= HEAD_BYTES) {
        if (this.#begin(chunk.subarray(at, at + HEAD_BYTES))) {
          flush(at);
          from = at + HEAD_BYTES;
        }
        at += HEAD_BYTES;
      } else {
        // Until the head is whole, nobody knows whether it may be passed on.
        if (this.#head.length === 0) flush(at);
        const end = Math.min(chunk.length, at + HEAD_BYTES - this.#head.length);
        this.#head = Buffer.concat([this.#head, chunk.subarray(at, end)]);
        at = end;
        from = end;
        if (this.#head.length === HEAD_BYTES) {
          const head = this.#head;
          this.#head = EMPTY;
          if (!this.#begin(head)) out.push(head);
        }
      }
    }
    flush(chunk.length);
    return out;
  }

  /** Whether the frame that begins holds trailers. */
  #begin(head: Buffer): boolean {
    const length = head.readUInt32BE(1);
    if (length > this.#limitBytes) throw new MessageTooLargeError(length, this.#limitBytes);
    this.#inTrailers = (head[0]! & TRAILERS) !== 0;
    this.#left = length;
    if (!this.#inTrailers) this.messages += 1;
    return this.#inTrailers;
  }
}

const EMPTY = Buffer.alloc(0);

/** Trailers as the last frame of a body: `name: value` lines. */
export function trailersFrame(trailers: readonly (readonly [string, string])[]): Buffer {
  const text = trailers.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  return framed(Buffer.from(text, 'latin1'), TRAILERS);
}

/** The other way. */
export function parseTrailers(text: string): [string, string][] {
  return text
    .split('\r\n')
    .filter((line) => line !== '')
    .map((line) => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon), line.slice(colon + 2)];
    });
}

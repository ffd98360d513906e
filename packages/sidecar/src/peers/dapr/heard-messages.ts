import { MESSAGE_HEAD_BYTES as HEAD_BYTES } from '../../grpc/wire/message-frame.ts';

/** What came is no message, or longer than one may be. */
export class BadMessageError extends Error {
  readonly code = 'BAD_MESSAGE';
}

/** Takes the messages of one gRPC stream out of its bytes, whatever the chunks they come in. */
export class HeardMessages {
  readonly #limitBytes: number;
  #chunks: Buffer[] = [];
  #bytes = 0;
  /** As many must be there before a look is worth it. */
  #needed = HEAD_BYTES;
  #rest: Buffer = Buffer.alloc(0);

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  /** Whether a message has begun and not ended. */
  get within(): boolean {
    return this.#bytes > 0;
  }

  /** @throws BadMessageError */
  *take(chunk: Buffer): Iterable<Buffer> {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    // A long message is put together once, not with each of its chunks.
    if (this.#bytes < this.#needed) return;
    this.#rest = this.#chunks.length === 1 ? chunk : Buffer.concat(this.#chunks, this.#bytes);
    try {
      yield* this.#whole();
    } finally {
      this.#chunks = this.#rest.length === 0 ? [] : [this.#rest];
      this.#bytes = this.#rest.length;
    }
  }

  *#whole(): Iterable<Buffer> {
    this.#needed = HEAD_BYTES;
    while (this.#rest.length >= HEAD_BYTES) {
      if (this.#rest[0] !== 0) throw new BadMessageError('a compressed message was not asked for');
      const bytes = this.#rest.readUInt32BE(1);
      if (bytes > this.#limitBytes) {
        throw new BadMessageError(`a message of ${bytes} bytes is longer than ${this.#limitBytes}`);
      }
      this.#needed = HEAD_BYTES + bytes;
      if (this.#rest.length < this.#needed) return;
      const message = this.#rest.subarray(HEAD_BYTES, HEAD_BYTES + bytes);
      this.#rest = this.#rest.subarray(HEAD_BYTES + bytes);
      this.#needed = HEAD_BYTES;
      yield message;
    }
  }
}

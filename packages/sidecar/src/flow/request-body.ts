import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import type { Clock, Timer } from '@holdfast/core';
import { ClientGoneError } from './upstream-error.ts';

/** The client's body is longer than the limit: 413. */
export class BodyTooLargeError extends Error {
  readonly code = 'BODY_TOO_LARGE';

  constructor(limitBytes: number) {
    super(`The body is larger than the limit of ${limitBytes} bytes (--max-body-size).`);
    this.name = 'BodyTooLargeError';
  }
}

/** The client began a body and stopped sending: 408. */
export class BodyStalledError extends Error {
  readonly code = 'BODY_STALLED';

  constructor(stallMs: number) {
    super(`The client sent nothing for ${stallMs} ms in the middle of its body.`);
    this.name = 'BodyStalledError';
  }
}

/** Whether `error` is about the client's body, and so not about where it was going. */
export function isBodyFailure(error: unknown): boolean {
  return (
    error instanceof BodyTooLargeError ||
    error instanceof BodyStalledError ||
    error instanceof ClientGoneError
  );
}

export interface BodyLimits {
  readonly maxBodyBytes: number;
  /** Longest silence of the client within its body. */
  readonly stallMs: number;
  readonly clock: Clock;
}

/** Collects a whole body; rejects when it is too long, stalls, or the client leaves. */
export function collectBody(req: IncomingMessage, limits: BodyLimits): Promise<Buffer> {
  // A request that names no length has ended before anybody could listen, and says so no more.
  if (req.readableEnded) return Promise.resolve(Buffer.alloc(0));
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const stalled = (): void => end(new BodyStalledError(limits.stallMs));
    // Of what has come whole, as small ones do, the client owes no more.
    const watch = req.complete ? undefined : new StallWatch(limits, stalled);
    const onData = (chunk: Buffer): void => {
      watch?.touch();
      bytes += chunk.length;
      if (bytes > limits.maxBodyBytes) end(new BodyTooLargeError(limits.maxBodyBytes));
      else chunks.push(chunk);
    };
    const onEnd = (): void => end(undefined);
    const onClose = (): void => end(new ClientGoneError());
    const end = (error: Error | undefined): void => {
      watch?.stop();
      req.off('data', onData).off('end', onEnd).off('close', onClose);
      if (error !== undefined) reject(error);
      else resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, bytes));
    };
    req.on('data', onData).on('end', onEnd).on('close', onClose);
  });
}

/**
 * A body on its way through. Not the request itself: undici destroys the bodies
 * of calls that fail, and destroying a request cuts off the client, who is
 * still owed an answer.
 */
export class BodyStream extends Readable {
  readonly #req: IncomingMessage;
  readonly #limits: BodyLimits;
  #watch: StallWatch | undefined;
  #bytes = 0;

  constructor(req: IncomingMessage, limits: BodyLimits) {
    super({ highWaterMark: 64 * 1024 });
    this.#req = req;
    this.#limits = limits;
    // The failure is told through the call that carries this body.
    this.on('error', () => {});
  }

  /** Nothing of the client's body was read: another stream can carry it yet. */
  get untouched(): boolean {
    return this.#watch === undefined;
  }

  override _read(): void {
    if (this.#watch === undefined) this.#begin();
    this.#watch?.touch();
    this.#req.resume();
  }

  #begin(): void {
    const { stallMs } = this.#limits;
    this.#watch = new StallWatch(this.#limits, () => this.destroy(new BodyStalledError(stallMs)));
    this.#req.on('data', this.#onData).on('end', this.#onEnd).on('close', this.#onClose);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#watch?.stop();
    this.#req.off('data', this.#onData).off('end', this.#onEnd).off('close', this.#onClose);
    done(error);
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#bytes += chunk.length;
    if (this.#bytes > this.#limits.maxBodyBytes) {
      this.destroy(new BodyTooLargeError(this.#limits.maxBodyBytes));
      return;
    }
    this.#watch?.touch();
    if (this.push(chunk)) return;
    // The other side is slow, not the client: its silence from here on is our doing.
    this.#watch?.stop();
    this.#req.pause();
  };

  readonly #onEnd = (): void => {
    this.#watch?.stop();
    this.push(null);
  };

  readonly #onClose = (): void => {
    if (!this.#req.complete) this.destroy(new ClientGoneError());
  };
}

/** One timer per body at most, however many chunks arrive. */
class StallWatch {
  readonly #limits: BodyLimits;
  readonly #stalled: () => void;
  #timer: Timer | undefined;
  #touchedMs = 0;

  constructor(limits: BodyLimits, stalled: () => void) {
    this.#limits = limits;
    this.#stalled = stalled;
    this.touch();
  }

  touch(): void {
    this.#touchedMs = this.#limits.clock.now();
    if (this.#timer === undefined) this.#arm(this.#limits.stallMs);
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #arm(ms: number): void {
    this.#timer = this.#limits.clock.timer(ms, () => {
      const leftMs = this.#touchedMs + this.#limits.stallMs - this.#limits.clock.now();
      this.#timer = undefined;
      if (leftMs > 0) this.#arm(leftMs);
      else this.#stalled();
    });
  }
}

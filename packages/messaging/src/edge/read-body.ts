import type { Readable } from 'node:stream';
import type { Clock } from '@holdfast/core';
import { GrownBytes } from './grown-bytes.ts';

export interface ReadLimits {
  readonly maxBodyBytes: number;
  readonly stallMs: number;
  readonly readMs: number;
  readonly clock: Clock;
}

export type BodyRead =
  | { readonly kind: 'read'; readonly body: Uint8Array }
  | { readonly kind: 'too-large' }
  /** Nothing came for too long, or all of it takes too long. */
  | { readonly kind: 'stalled' }
  /** The client hung up before the end. */
  | { readonly kind: 'gone' };

/**
 * Reads a body to its end, or to the first limit that it breaks. What it says of its own length is
 * not believed: bytes are counted as they come. After a limit the stream is left paused.
 */
export function readBody(stream: Readable, limits: ReadLimits): Promise<BodyRead> {
  const { maxBodyBytes, stallMs, readMs, clock } = limits;
  // Errors after our end, such as a reset while we answer, concern nobody and must not be fatal.
  stream.on('error', () => {});
  if (stream.destroyed) return Promise.resolve({ kind: 'gone' });

  return new Promise((resolve) => {
    const body = new GrownBytes();
    const beganMs = clock.now();
    let heardMs = beganMs;

    // One timer per body, not one per chunk: it looks when something came last.
    const leftMs = () => Math.min(heardMs + stallMs, beganMs + readMs) - clock.now();
    const look = () => {
      const ms = leftMs();
      if (ms > 0) timer = clock.timer(ms, look);
      else finish({ kind: 'stalled' });
    };
    let timer = clock.timer(leftMs(), look);

    const onData = (chunk: Uint8Array | string) => {
      const part = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
      heardMs = clock.now();
      if (body.length + part.byteLength > maxBodyBytes) finish({ kind: 'too-large' });
      else body.push(part);
    };
    const onEnd = () => finish({ kind: 'read', body: body.bytes() });
    const onGone = () => finish({ kind: 'gone' });

    function finish(result: BodyRead): void {
      timer.cancel();
      stream.off('data', onData).off('end', onEnd).off('error', onGone).off('close', onGone);
      stream.pause();
      resolve(result);
    }
    stream.on('data', onData).on('end', onEnd).on('error', onGone).on('close', onGone);
  });
}

import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import { createContextKey } from '@connectrpc/connect';
import type { RpcBytes } from '../../metrics/sidecar-metrics.ts';

/** Before each message: whether it is compressed, and its length. */
const ENVELOPE_BYTES = 5;

/** What one call takes on the wire, counted as it passes: no message is serialised to be measured. */
export class WireBytes {
  received = 0;
  sent = 0;
  /** Told once, when the answer is out or the client gone. */
  onEnd: ((bytes: RpcBytes) => void) | undefined;

  /** Of the one message either way, without what gRPC puts before it. */
  get unary(): RpcBytes {
    return { received: messageBytes(this.received), sent: messageBytes(this.sent) };
  }
}

const messageBytes = (bytes: number): number => Math.max(0, bytes - ENVELOPE_BYTES);

export const WIRE = createContextKey<WireBytes | undefined>(undefined, { description: 'wire' });

const watched = new WeakMap<object, WireBytes>();

/** Counts what passes of a call from here on. */
export function watchWire(req: Http2ServerRequest, res: Http2ServerResponse): void {
  const wire = new WireBytes();
  watched.set(req, wire);
  // Connect reads a request by this, and writes an answer by that.
  const iterator = req.iterator.bind(req);
  req.iterator = (options) => counted(iterator(options), wire);
  const write = res.write.bind(res) as (...args: unknown[]) => boolean;
  res.write = ((chunk: Uint8Array, ...rest: unknown[]) => {
    wire.sent += chunk.length;
    return write(chunk, ...rest);
  }) as typeof res.write;
  res.once('close', () => wire.onEnd?.(wire.unary));
}

/** What `watchWire` counts of that request. */
export const wireOf = (req: object): WireBytes | undefined => watched.get(req);

type Chunks = ReturnType<Http2ServerRequest['iterator']>;

function counted(chunks: Chunks, wire: WireBytes): Chunks {
  return Object.assign(Object.create(chunks) as Chunks, {
    async next() {
      const result = await chunks.next();
      if (result.done !== true) wire.received += (result.value as Uint8Array).length;
      return result;
    },
    return: (value?: unknown) => chunks.return!(value as never),
    throw: (error?: unknown) => chunks.throw!(error),
    [Symbol.asyncIterator]() {
      return this;
    },
  });
}

import http2 from 'node:http2';
import { framed } from '../../packages/sidecar/src/grpc/wire/message-frame.ts';
import type { LoadResult } from './load.ts';

/** A call that is made again and again. */
export interface RpcRequest {
  readonly path: string;
  /** Without what gRPC puts before it. */
  readonly message: Uint8Array;
  readonly metadata?: Readonly<Record<string, string>>;
}

/** Of an application that neither sidecar knows. */
const PASSED: RpcRequest = {
  path: '/bench.Service/Unary',
  message: Buffer.alloc(200, 'y'),
  metadata: { 'dapr-app-id': 'app-b' },
};

/**
 * Unary gRPC calls on one connection, so many in flight at a time. The client is this process: it
 * takes as much of the machine for either side, so ratios of calls a second come out too low.
 */
export async function rpcLoad(
  port: number,
  inFlight: number,
  seconds: number,
  request = PASSED,
): Promise<LoadResult> {
  const body = framed(request.message);
  const session = http2.connect(`http://127.0.0.1:${port}`);
  await new Promise((resolve, reject) => session.once('connect', resolve).once('error', reject));
  const took: number[] = [];
  const beganMs = performance.now();
  const endMs = beganMs + seconds * 1_000;
  const worker = async (): Promise<void> => {
    while (performance.now() < endMs) {
      const callMs = performance.now();
      await oneCall(session, request, body);
      took.push(performance.now() - callMs);
    }
  };
  await Promise.all(Array.from({ length: inFlight }, worker));
  const lastedMs = performance.now() - beganMs;
  session.close();
  took.sort((a, b) => a - b);
  const quantile = (q: number) => took[Math.min(took.length - 1, Math.floor(q * took.length))] ?? 0;
  return {
    requests: took.length,
    perSecond: (took.length * 1_000) / lastedMs,
    p50Ms: quantile(0.5),
    p99Ms: quantile(0.99),
  };
}

function oneCall(
  session: http2.ClientHttp2Session,
  { metadata, path }: RpcRequest,
  body: Buffer,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const stream = session.request({
      ':method': 'POST',
      ':path': path,
      'content-type': 'application/grpc',
      te: 'trailers',
      ...metadata,
    });
    let status: unknown;
    stream.on('response', (headers) => {
      status = headers['grpc-status'];
    });
    stream.on('trailers', (headers) => {
      status = headers['grpc-status'];
    });
    stream.on('error', reject);
    stream.on('close', () => {
      if (status === '0') resolve();
      else reject(new Error(`A call ended with gRPC status ${status}.`));
    });
    stream.resume();
    stream.end(body);
  });
}

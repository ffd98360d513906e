import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import http2 from 'node:http2';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { framed } from '../../packages/sidecar/src/grpc/wire/message-frame.ts';
import { isInstalled, type LoadResult } from './load.ts';

/** A call that is made again and again. */
export interface RpcRequest {
  readonly path: string;
  /** Without what gRPC puts before it. */
  readonly message: Uint8Array;
  readonly metadata?: Readonly<Record<string, string>>;
  /**
   * Made by Node's client in any case. h2load says how long each message is, and daprd hands that on to an application over
   * HTTP with a call that has no body: all of them fail. @default false
   */
  readonly withoutLength?: boolean;
}

const HEAD = { 'content-type': 'application/grpc', te: 'trailers' };

/** Of an application that neither sidecar knows. */
const PASSED: RpcRequest = {
  path: '/bench.Service/Unary',
  message: Buffer.alloc(200, 'y'),
  metadata: { 'dapr-app-id': 'app-b' },
};

/**
 * Unary gRPC calls on one connection, so many in flight at a time. The first is looked at: `h2load`, which makes
 * the others where it is installed, does not read what a call has come to.
 */
export async function rpcLoad(
  port: number,
  inFlight: number,
  seconds: number,
  request = PASSED,
): Promise<LoadResult> {
  const session = http2.connect(`http://127.0.0.1:${port}`);
  try {
    await new Promise((resolve, reject) => session.once('connect', resolve).once('error', reject));
    const body = framed(request.message);
    await oneCall(session, request, body);
    const took =
      isInstalled('h2load') && request.withoutLength !== true
        ? await h2load({ port, inFlight, seconds }, request, body)
        : await ownLoad(session, { inFlight, seconds }, request, body);
    took.sort((a, b) => a - b);
    const quantile = (q: number) =>
      took[Math.min(took.length - 1, Math.floor(q * took.length))] ?? 0;
    const perSecond = took.length / seconds;
    return { requests: took.length, perSecond, p50Ms: quantile(0.5), p99Ms: quantile(0.99) };
  } finally {
    session.close();
  }
}

/** nghttp2's client takes a third of what Node's takes from two cores. How long each call took, in milliseconds. */
async function h2load(
  { inFlight, port, seconds }: { inFlight: number; port: number; seconds: number },
  { metadata = {}, path }: RpcRequest,
  body: Buffer,
): Promise<number[]> {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-h2load-'));
  try {
    const [file, log] = [join(folder, 'body'), join(folder, 'log')];
    await writeFile(file, body);
    const headers = Object.entries({ ...HEAD, ...metadata }).flatMap((field) => [
      '-H',
      field.join(': '),
    ]);
    const options = ['-c', '1', '-m', String(inFlight), '-D', String(seconds), '-d', file];
    const url = `http://127.0.0.1:${port}${path}`;
    await promisify(execFile)('h2load', [...options, `--log-file=${log}`, ...headers, url]);
    const lines = (await readFile(log, 'utf8')).trimEnd().split('\n');
    return lines.map((line) => {
      const [, status, tookUs] = line.split('\t');
      if (status !== '200') throw new Error(`A call ended with HTTP status ${status}.`);
      return Number(tookUs) / 1_000;
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Node's own client, in this process: it takes as much of the machine as either side, so ratios of calls a second come out too low. */
async function ownLoad(
  session: http2.ClientHttp2Session,
  { inFlight, seconds }: { inFlight: number; seconds: number },
  request: RpcRequest,
  body: Buffer,
): Promise<number[]> {
  const took: number[] = [];
  const endMs = performance.now() + seconds * 1_000;
  const worker = async (): Promise<void> => {
    while (performance.now() < endMs) {
      const callMs = performance.now();
      await oneCall(session, request, body);
      took.push(performance.now() - callMs);
    }
  };
  await Promise.all(Array.from({ length: inFlight }, worker));
  return took;
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
      ...HEAD,
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

import assert from 'node:assert/strict';
import { once } from 'node:events';
import http2, {
  type Http2ServerRequest,
  type Http2ServerResponse,
  type IncomingHttpHeaders,
  type ServerHttp2Stream,
} from 'node:http2';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { Code, ConnectError, type HandlerContext, type Interceptor } from '@connectrpc/connect';
import { connectNodeAdapter } from '@connectrpc/connect-node';
import { systemClock } from '@holdfast/core';
import { Dapr } from '../protos/dapr_pb.ts';
import {
  type GetStateRequest,
  GetStateRequestSchema,
  GetStateResponseSchema,
} from '../protos/state_pb.ts';
import { writeLines } from '../wire/answer-lines.ts';
import { framed } from '../wire/message-frame.ts';
import { speakOfSize } from '../wire/size-words.ts';
import { UnaryCalls } from './unary-calls.ts';

const LIMIT_BYTES = 1_000;

/** What a client hears: status of HTTP, headers, messages and trailers; none of what names the moment. */
interface Heard {
  readonly head: Readonly<Record<string, unknown>>;
  readonly body: string;
  readonly trailers: Readonly<Record<string, unknown>>;
}

const message = (key: string): Uint8Array =>
  toBinary(GetStateRequestSchema, create(GetStateRequestSchema, { storeName: 's', key }));

interface Sent {
  readonly bytes: Buffer;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Requests of one method, good and bad: connect's answer to each is the right one. */
const REQUESTS: Readonly<Record<string, Sent>> = {
  'a message': { bytes: framed(message('k')) },
  'metadata both ways': {
    bytes: framed(message('echo')),
    headers: { 'x-one': 'a', 'y-bin': 'AQI' },
  },
  'an error with details and metadata': { bytes: framed(message('refused')) },
  'an error that is none of gRPC’s': { bytes: framed(message('broken')) },
  'words beyond ASCII': { bytes: framed(message('ünïcode')) },
  'no message': { bytes: Buffer.alloc(0) },
  'two messages': { bytes: Buffer.concat([framed(message('k')), framed(message('l'))]) },
  'half a message': { bytes: framed(message('k')).subarray(0, 7) },
  'half a head': { bytes: framed(message('k')).subarray(0, 3) },
  'a message and half of another': {
    bytes: Buffer.concat([framed(message('k')), framed(message('l')).subarray(0, 6)]),
  },
  'no Protobuf': { bytes: framed(Buffer.from([0xff, 0xff, 0xff])) },
  'compressed, and nobody said how': { bytes: framed(message('k'), 1) },
  'a message that is too long': { bytes: framed(Buffer.alloc(LIMIT_BYTES + 1)) },
  'a type of its own': {
    bytes: framed(message('k')),
    headers: { 'content-type': 'application/grpc+proto' },
  },
  identity: { bytes: framed(message('k')), headers: { 'grpc-encoding': 'identity' } },
  'a time that suffices': { bytes: framed(message('time')), headers: { 'grpc-timeout': '90S' } },
  'a time that does not': { bytes: framed(message('late')), headers: { 'grpc-timeout': '20m' } },
};

for (const [name, sent] of Object.entries(REQUESTS)) {
  test(`${name}: what a client hears is what it would from connect`, async (t) => {
    assert.deepEqual(
      await ask(await serve(t, 'plain'), sent),
      await ask(await serve(t, 'connect'), sent),
    );
  });
}

test('what is not plain is left to connect', async (t) => {
  const { taken } = await serve(t, 'plain');
  const url = '/dapr.proto.runtime.v1.Dapr/GetState';
  const type = { 'content-type': 'application/grpc' };
  const asked = (path: string, headers: Readonly<Record<string, string>>, method = 'POST') =>
    taken({ ...headers, ':path': path, ':method': method });
  assert.deepEqual(
    [
      asked(url, type, 'GET'),
      asked(url, { 'content-type': 'application/grpc+json' }),
      asked(url, { ...type, 'grpc-encoding': 'gzip' }),
      asked(url, { ...type, 'grpc-timeout': 'soon' }),
      asked('/dapr.proto.runtime.v1.Dapr/SubscribeConfiguration', type),
      asked('/dapr.proto.runtime.v1.Dapr/GetSecret', type),
      asked('/other.Service/GetState', type),
    ],
    Array(7).fill(false),
  );
});

test('a client that is refused in the middle of its message need not go on, and its stream ends', async (t) => {
  const { url } = await serve(t, 'plain');
  const client = http2.connect(url);
  t.after(() => client.destroy());
  const stream = client
    .request(HEAD)
    .on('error', () => {})
    .resume();
  stream.write(framed(Buffer.alloc(LIMIT_BYTES + 1)).subarray(0, 100));
  const [trailers] = await once(stream, 'trailers');
  await once(stream, 'close');
  assert.deepEqual([trailers['grpc-status'], stream.rstCode], [String(Code.ResourceExhausted), 0]);
});

test('a client that leaves gives up what was done for it', async (t) => {
  const given = Promise.withResolvers<unknown>();
  const server = await serve(t, 'plain', (_, { signal }) => {
    client.destroy();
    return new Promise<never>(() => {
      signal.addEventListener('abort', () => given.resolve(signal.reason));
    });
  });
  const client = http2.connect(server.url).on('error', () => {});
  client
    .request(HEAD)
    .on('error', () => {})
    .end(framed(message('k')));
  assert.equal(((await given.promise) as ConnectError).code, Code.Canceled);
});

const HEAD = {
  ':method': 'POST',
  ':path': '/dapr.proto.runtime.v1.Dapr/GetState',
  'content-type': 'application/grpc',
  te: 'trailers',
};

type GetState = (
  request: GetStateRequest,
  context: HandlerContext,
) => Promise<{ data: Uint8Array }>;

const getState: GetState = async (
  { key },
  { requestHeader, responseHeader, responseTrailer, signal, timeoutMs },
) => {
  responseHeader.set('x-head', 'h');
  responseTrailer.set('x-trailer', 't');
  if (key === 'refused') {
    throw new ConnectError('no, thänks', Code.Aborted, { 'x-why': 'so' }, [
      { desc: GetStateResponseSchema, value: { etag: 'detail' } },
    ]);
  }
  if (key === 'broken') throw new Error('secret');
  if (key === 'late') {
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
    throw signal.reason;
  }
  const told = key === 'echo' ? `${requestHeader.get('x-one')} ${requestHeader.get('Y-Bin')}` : key;
  return { data: Buffer.from(key === 'time' ? String(timeoutMs()! > 80_000) : told) };
};

async function serve(t: TestContext, way: 'plain' | 'connect', answer = getState) {
  const guard: Interceptor = (next) => async (req) => {
    const res = await next(req);
    res.header.set('x-passed', req.method.name);
    return res;
  };
  const service = { getState: answer };
  const unary = new UnaryCalls({
    service: Dapr,
    answers: service,
    guard,
    maxMessageBytes: LIMIT_BYTES,
    clock: systemClock,
  });
  const connect = connectNodeAdapter({
    connect: false,
    grpcWeb: false,
    readMaxBytes: LIMIT_BYTES,
    interceptors: [guard],
    routes: (router) => void router.service(Dapr, service),
  }) as (req: Http2ServerRequest, res: Http2ServerResponse) => void;
  const server = http2.createServer();
  server.on('stream', (stream, headers, _flags, raw?: readonly string[]) => {
    if (way === 'plain' && unary.take(stream, headers, raw ?? [])) return;
    const req = new http2.Http2ServerRequest(stream, headers, {}, raw ?? []);
    const res = new http2.Http2ServerResponse(stream);
    writeLines(req, res);
    speakOfSize(res);
    connect(req, res);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const sessions = new Set<http2.ServerHttp2Session>();
  server.on('session', (session) => sessions.add(session));
  t.after(() => {
    for (const session of sessions) session.destroy();
    server.close();
  });
  const taken = (headers: IncomingHttpHeaders) => unary.take({} as ServerHttp2Stream, headers, []);
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, taken };
}

async function ask({ url }: { readonly url: string }, { bytes, headers }: Sent): Promise<Heard> {
  const client = http2.connect(url);
  try {
    const stream = client.request({ ...HEAD, ...headers });
    let head: Record<string, unknown> = {};
    let trailers: Record<string, unknown> = {};
    const chunks: Buffer[] = [];
    stream.on('response', ({ date: _, ...rest }) => {
      head = { ...rest };
    });
    stream.on('trailers', (rest) => {
      // Some of connect's words are replaced by ours, which need no escapes.
      const words = decodeURIComponent(String(rest['grpc-message']));
      trailers = { ...rest, 'grpc-message': words };
    });
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.end(bytes);
    await once(stream, 'close');
    const all = Buffer.concat(chunks);
    const body =
      all.length === 0 ? '' : Buffer.from(fromBinary(GetStateResponseSchema, all.subarray(5)).data);
    return { head, body: String(body), trailers };
  } finally {
    client.destroy();
  }
}

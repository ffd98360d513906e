import http2, { type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { selfSigned } from '@holdfast/test-servers';

/** An application over gRPC, in clear text or by TLS, that ends calls as `x-mode` says. */
export interface RpcApp {
  readonly port: number;
  /** Connections so far. */
  connections(): number;
  /** Metadata of the call that came last. */
  last(): IncomingHttpHeaders;
  close(): void;
}

const TYPE = { ':status': 200, 'content-type': 'application/grpc' };

export async function startRpcApp(tls: boolean): Promise<RpcApp> {
  const { certificate: cert, key } = await selfSigned();
  const server = tls ? http2.createSecureServer({ cert, key }) : http2.createServer();
  const sessions = new Set<http2.ServerHttp2Session>();
  let connections = 0;
  let last: IncomingHttpHeaders = {};
  server.on('session', (session) => {
    connections += 1;
    sessions.add(session);
    session.on('error', () => {}).on('close', () => sessions.delete(session));
  });
  server.on('stream', (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
    stream.on('error', () => {});
    const mode = String(headers['x-mode'] ?? '');
    if (MODES[mode] === undefined) {
      // Dapr's own questions.
      stream.respond({ ...TYPE, 'grpc-status': '12' }, { endStream: true });
      return;
    }
    last = headers;
    MODES[mode](stream);
  });
  server.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    connections: () => connections,
    last: () => last,
    close() {
      server.close();
      for (const session of sessions) session.destroy();
    },
  };
}

const message = (text: string): Buffer => {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(Buffer.byteLength(text), 1);
  return Buffer.concat([head, Buffer.from(text)]);
};

/** Answers with bytes, and trailers after them. */
function answer(stream: ServerHttp2Stream, bytes: readonly Buffer[], afterMs = 0): void {
  stream.resume().respond({ ...TYPE, 'head-bin': 'AAH/' }, { waitForTrailers: true });
  stream.once('wantTrailers', () =>
    stream.sendTrailers({ 'grpc-status': '0', 'tail-bin': '/wEA' }),
  );
  const end = (): void => {
    for (const piece of bytes) stream.write(piece);
    stream.end();
  };
  if (afterMs === 0) end();
  else setTimeout(end, afterMs);
}

const reset = (code: number) => (stream: ServerHttp2Stream) => stream.resume().close(code);
const head =
  (headers: http2.OutgoingHttpHeaders, body?: string | Buffer) => (stream: ServerHttp2Stream) => {
    stream.resume().respond(headers, { endStream: body === undefined });
    if (body !== undefined) stream.end(body);
  };

/** Calls that wait for another one. */
const waiting: ServerHttp2Stream[] = [];

const MODES: Readonly<Record<string, (stream: ServerHttp2Stream) => void>> = {
  one: (stream) => answer(stream, [message('one')]),
  three: (stream) => answer(stream, ['a', 'b', 'c'].map(message)),
  half: (stream) => answer(stream, [message('half of it').subarray(0, 9)]),
  'no-more': head({ ...TYPE, 'grpc-status': '0' }),
  'trailers-only': head({ ...TYPE, 'grpc-status': '9', 'grpc-message': 'no%20way' }),
  'no-status': head(TYPE, message('one')),
  unavailable: head({ ':status': 503, 'content-type': 'text/plain' }, 'down'),
  'not-found': head({ ':status': 404 }),
  page: head({ ':status': 200, 'content-type': 'text/html' }, '<p>'),
  'reset-none': reset(0),
  'reset-internal': reset(2),
  'reset-refused': reset(7),
  'reset-cancel': reset(8),
  'reset-calm': reset(11),
  cut: (stream) => {
    const { session } = stream.resume();
    setTimeout(() => session?.destroy(), 20);
  },
  'cut-after': (stream) => {
    const { session } = stream.resume();
    stream.respond(TYPE);
    stream.write(message('one'));
    setTimeout(() => session?.destroy(), 50);
  },
  meet: (stream) => {
    waiting.push(stream.resume());
    if (waiting.length < 2) return;
    for (const one of waiting.splice(0)) answer(one, [message('met')]);
  },
  'go-away': (stream) => {
    stream.session?.goaway(0, stream.id);
    answer(stream, [message('after')], 60);
  },
};

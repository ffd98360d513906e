import type { RequestListener } from 'node:http';
import http2, { type Http2Server, type ServerHttp2Session } from 'node:http2';
import type { Socket } from 'node:net';
import { StreamReply } from './stream-reply.ts';
import { StreamRequest } from './stream-request.ts';

export interface H2cOptions {
  readonly maxHeaderBytes: number;
  readonly maxHeaders: number;
  /** A connection on which nothing happens, and nothing is being answered, is kept for this long. */
  readonly idleMs: number;
  readonly onRequest: RequestListener;
}

/** HTTP/2 in clear text, on connections that somebody else has accepted. */
export interface H2cServer {
  /** `first`: what the client has sent, from its preface on. */
  take(socket: Socket, first: Buffer): void;
  /** Asks clients to go; each connection ends when its requests have been answered. */
  drain(): void;
  close(): void;
}

/** Requests of one client at a time, as daprd allows; more wait in the client. */
const MAX_STREAMS = 250;
/** What may lie unread on one connection, so that one body which nobody takes does not hold up the others. */
const WINDOW_BYTES = 1024 * 1024;
/** Node's measure of all that a connection holds; what is beyond refuses new requests. */
const MEMORY_MB = 64;

export function createH2c(options: H2cOptions): H2cServer {
  const sessions = new Set<ServerHttp2Session>();
  let server: Http2Server | undefined;
  return {
    take(socket, first) {
      // A socket that flows would throw away what the session has yet to read.
      socket.pause();
      socket.unshift(first);
      server ??= createServer(options, sessions);
      server.emit('connection', socket);
    },
    drain() {
      for (const session of sessions) session.close();
    },
    close() {
      for (const session of sessions) session.destroy();
    },
  };
}

function createServer(options: H2cOptions, sessions: Set<ServerHttp2Session>): Http2Server {
  const { idleMs, maxHeaderBytes, maxHeaders } = options;
  const settings = {
    settings: { maxConcurrentStreams: MAX_STREAMS, maxHeaderListSize: maxHeaderBytes },
    maxHeaderListPairs: maxHeaders,
    maxSessionMemory: MEMORY_MB,
    // An application may answer with a header twice that should be there once; HTTP/1 passes it on.
    strictSingleValueFields: false,
    // A client that opens and resets streams for ever is cut off.
    streamResetBurst: 1_000,
    streamResetRate: 100,
  };
  // The types do not know all of them.
  const server = http2.createServer(settings as http2.ServerOptions);
  server.on('session', (session) => {
    const open = new Set<StreamReply>();
    sessions.add(session);
    session.setLocalWindowSize(WINDOW_BYTES);
    // A client's broken connection is nobody's fault here.
    session.on('error', () => {}).on('close', () => sessions.delete(session));
    session.on('stream', (stream, headers, _flags, raw?: readonly string[]) => {
      // Why it ended is seen by its end.
      stream.on('error', nothing);
      if (stream.destroyed) return;
      const request = new StreamRequest(stream, headers, raw ?? []);
      const reply = new StreamReply(stream, request);
      open.add(reply);
      stream.on('close', () => {
        open.delete(reply);
        request.gone();
        reply.emit('close');
      });
      serve(options, request, reply);
    });
    const idle = (): void => {
      // What was answered and is not taken must not stay for ever either.
      const busy = [...open].some((reply) => !reply.ended);
      if (busy) session.setTimeout(idleMs, idle);
      else if (session.closed) session.destroy();
      else {
        session.setTimeout(idleMs, idle);
        session.close();
      }
    };
    session.setTimeout(idleMs, idle);
  });
  server.on('sessionError', () => {});
  return server;
}

function serve(
  { maxHeaderBytes, onRequest }: H2cOptions,
  request: StreamRequest,
  reply: StreamReply,
): void {
  if (headBytes(request) > maxHeaderBytes) {
    // Node tells clients of the limit, and takes eight times as much all the same.
    const text = '431 Request Header Fields Too Large\n';
    reply.writeHead(431, ['content-type', 'text/plain; charset=utf-8']).end(text);
    return;
  }
  const [req, res] = [request, reply] as unknown as Parameters<RequestListener>;
  onRequest(req, res);
}

const nothing = (): void => {};

/** Of a head as HTTP/1 would have written it: `name: value` and an end of line for each. */
function headBytes({ method, rawHeaders, url }: StreamRequest): number {
  let bytes = method.length + url.length;
  for (const text of rawHeaders) bytes += text.length + 2;
  return bytes;
}

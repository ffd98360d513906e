import http2, {
  type Http2ServerRequest,
  type Http2ServerResponse,
  type ServerHttp2Session,
} from 'node:http2';
import type { Socket } from 'node:net';
import { Code } from '@connectrpc/connect';
import { RPC_VERB } from '../../app/rpc-answer.ts';
import { isHopByHop } from '../../flow/headers/hop-by-hop.ts';
import { ClientGoneError, UpstreamError } from '../../flow/upstream-error.ts';
import { ProxiedAnswer } from '../../grpc/proxy/proxied-answer.ts';
import { parentOf } from '../../trace/trace-bin.ts';
import { faultText } from '../fault.ts';
import type { PeerCallee } from '../peer-transport.ts';
import type { SpiffeId } from '../spiffe-id.ts';
import { HeardCall } from './heard-call.ts';

export interface DaprDoorOptions {
  readonly callee: PeerCallee;
  /** Longest message either way. */
  readonly maxBodyBytes: number;
  /** A connection on which no call has begun by then is closed. */
  readonly firstCallMs: number;
  /** Told when a call has ended. */
  readonly ended: () => void;
}

/** Where sidecars that are daprd come in, on connections that somebody else has accepted. */
export interface DaprDoor {
  /** `first`: what has come, from HTTP/2's preface on; `callerId`: whose connection it is. */
  take(socket: Socket, first: Buffer, callerId: SpiffeId | undefined): void;
  /** Calls in flight. */
  readonly open: number;
  /** Asks callers to go; each connection ends when its calls have been answered. */
  drain(): void;
}

/** Calls of one caller at a time, as daprd has it; more wait there. */
const MAX_STREAMS = 1_000;
const HEADER_LIST_BYTES = 64 * 1024;
const INTERNALS = '/dapr.proto.internals.v1.';
const CALL = `${INTERNALS}ServiceInvocation/CallLocal`;
const CALL_STREAM = `${CALL}Stream`;

export function openDaprDoor({
  callee,
  ended,
  firstCallMs,
  maxBodyBytes,
}: DaprDoorOptions): DaprDoor {
  const sessions = new Set<ServerHttp2Session>();
  const callers = new WeakMap<object, SpiffeId>();
  /** Whose connection is being taken just now: its session begins at once, or never. */
  let taken: { readonly callerId: SpiffeId | undefined } | undefined;
  let open = 0;
  const server = http2.createServer({
    settings: { maxConcurrentStreams: MAX_STREAMS, maxHeaderListSize: HEADER_LIST_BYTES },
    // Who opens and resets streams for ever is cut off.
    streamResetBurst: 1_000,
    streamResetRate: 100,
  });
  server.on('stream', (stream, headers, _flags, raw: readonly string[] = []) => {
    open += 1;
    stream.on('close', () => {
      open -= 1;
      ended();
    });
    const callerId = stream.session === undefined ? undefined : callers.get(stream.session);
    const path = String(headers[':path']);
    if (path === CALL || path === CALL_STREAM) {
      new HeardCall(stream, headers, { callee, callerId, maxBodyBytes, whole: path === CALL });
      return;
    }
    const req = new http2.Http2ServerRequest(stream, headers, {}, raw);
    pass(callee, maxBodyBytes, callerId, req, new http2.Http2ServerResponse(stream));
  });
  server.on('session', (session) => {
    if (taken === undefined) {
      session.destroy();
      return;
    }
    if (taken.callerId !== undefined) callers.set(session, taken.callerId);
    sessions.add(session);
    session.on('close', () => sessions.delete(session));
    session.setTimeout(firstCallMs, () => session.destroy());
    session.once('stream', () => session.setTimeout(0));
    // A broken connection is the caller's to see.
    session.on('error', () => {});
  });
  server.on('sessionError', () => {});
  return {
    take(socket, first, callerId) {
      // A socket that flows would throw away what the session has yet to read.
      socket.pause();
      if (first.length > 0) socket.unshift(first);
      taken = { callerId };
      server.emit('connection', socket);
      taken = undefined;
    },
    get open() {
      return open;
    },
    drain() {
      for (const session of sessions) session.close();
    },
  };
}

/** gRPC of any other service, for the application. */
function pass(
  callee: PeerCallee,
  maxBodyBytes: number,
  callerId: SpiffeId | undefined,
  req: Http2ServerRequest,
  res: Http2ServerResponse,
): void {
  const answer = new ProxiedAnswer(res, maxBodyBytes);
  if (req.url.startsWith(INTERNALS)) {
    const service = `${req.url.slice(1)} is not here`;
    answer.refuse(Code.Unimplemented, `${service}: this sidecar has no actors and no workflow`);
    return;
  }
  const headers: string[] = [];
  let bin: string | undefined;
  let parent: string | undefined;
  for (let at = 0; at + 1 < req.rawHeaders.length; at += 2) {
    const name = req.rawHeaders[at]!;
    const value = req.rawHeaders[at + 1]!;
    if (name === 'grpc-trace-bin') bin = value;
    else if (name === 'traceparent') parent = value;
    else if (!name.startsWith(':') && name !== 'dapr-app-id' && !isHopByHop(name)) {
      headers.push(name, value);
    }
  }
  const trace = parentOf(bin, parent);
  if (trace !== undefined) headers.push('traceparent', trace);
  const call = { method: RPC_VERB, path: req.url, headers, body: req, callerId };
  const flow = callee.send(call, {
    head: (status, list, answering) => answer.head(status, list, answering),
    data: (chunk) => answer.data(chunk),
    end: (last) => answer.end(last),
    fail: (error) => answer.fail(worded(error)),
  });
  res.on('close', () => {
    if (!answer.ended) flow.abort(new ClientGoneError());
    answer.gone();
  });
}

/** With the code of gRPC that another sidecar of ours would read from its frames. */
const worded = (error: Error): Error =>
  error instanceof UpstreamError && !error.message.startsWith('rpc error: ')
    ? new Error(`rpc error: ${faultText(error)}`)
    : error;

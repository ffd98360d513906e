import http2, {
  type Http2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Stream,
} from 'node:http2';
import net, { type Server, type Socket } from 'node:net';
import { type ListenAt, listenAll } from '../server/doors/listen-all.ts';

export interface GrpcServerOptions extends ListenAt {
  readonly maxConnections: number;
  /**
   * What answers, made when the first client comes: who does not use the gRPC
   * API does not pay for it at the start.
   */
  readonly handler: () => Promise<GrpcHandler>;
}

/** Answers a call; `rawHeaders` are `name, value, …` as they came. */
export type GrpcHandler = (
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  rawHeaders: readonly string[],
) => void;

export interface GrpcServer {
  readonly port: number;
  /** Accepts no more calls; resolves when those in flight have ended. */
  drain(): Promise<void>;
  /** Ends everything at once. */
  close(): void;
}

/** Calls of one client at a time; more wait in the client. */
const MAX_STREAMS = 1_000;
const HEADER_LIST_BYTES = 64 * 1024;

/** Listens for clients of the gRPC API. @throws PortTakenError */
export async function startGrpcServer(options: GrpcServerOptions): Promise<GrpcServer> {
  const sockets = new Set<Socket>();
  let answering: Promise<Http2Server> | undefined;
  const sessions = new Set<http2.ServerHttp2Session>();
  const begin = async (): Promise<Http2Server> => {
    const handler = await options.handler();
    const server = http2.createServer({
      settings: { maxConcurrentStreams: MAX_STREAMS, maxHeaderListSize: HEADER_LIST_BYTES },
      // A client that opens and resets streams for ever is cut off.
      streamResetBurst: 1_000,
      streamResetRate: 100,
    });
    server.on('stream', (stream, headers, _flags, raw?: readonly string[]) =>
      handler(stream, headers, raw ?? []),
    );
    server.on('session', (session) => {
      sessions.add(session);
      session.on('close', () => sessions.delete(session));
      // A client's broken connection is nobody's fault here.
      session.on('error', () => {});
    });
    server.on('sessionError', () => {});
    return server;
  };
  const welcome = (socket: Socket): void => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket)).on('error', () => {});
    socket.pause();
    answering ??= begin();
    answering.then(
      (server) => {
        if (!socket.destroyed) server.emit('connection', socket.resume());
      },
      () => socket.destroy(),
    );
  };
  const open = (): Server => {
    const server = net.createServer({ noDelay: true }, welcome);
    server.maxConnections = options.maxConnections;
    return server;
  };
  const { servers, port } = await listenAll(open, options, '--dapr-grpc-port');
  return {
    port,
    async drain() {
      for (const server of servers) server.close();
      await Promise.all(
        [...sessions].map(
          (session) =>
            new Promise<void>((resolve) => {
              session.once('close', resolve);
              session.close();
            }),
        ),
      );
    },
    close() {
      for (const server of servers) server.close();
      for (const session of sessions) session.destroy();
      for (const socket of sockets) socket.destroy();
    },
  };
}

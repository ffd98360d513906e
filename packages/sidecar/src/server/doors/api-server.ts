import type http from 'node:http';
import type { IncomingMessage, RequestListener } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { createH2c, type H2cServer } from '../h2c/h2c-server.ts';
import { asksForH2c, upgradeToH2c } from '../h2c/upgrade-to-h2c.ts';
import { nodeHttp } from '../node-http.ts';
import { clientError, clientErrorOrH2c } from './client-error.ts';
import { type ListenAt, listenAll } from './listen-all.ts';

export interface ApiServerOptions extends ListenAt {
  /** The flag that asks for the port. */
  readonly flag: string;
  readonly maxHeaderBytes: number;
  readonly maxConnections: number;
  /** An idle connection is kept for this long. @default 60,000 ms */
  readonly keepAliveMs?: number;
  /** A request's head must be complete after this. @default 10_000 ms */
  readonly headersTimeoutMs?: number;
  /** HTTP/2 in clear text as well, on the same port. @default false */
  readonly h2c?: boolean;
  readonly onRequest: RequestListener;
}

/** Servers at one port on one or several addresses, started and stopped together. */
export interface ApiServer {
  /** 0 on a Unix socket. */
  readonly port: number;
  /** Accepts no more; resolves when the requests in flight have been answered. */
  drain(): Promise<void>;
  /** Cuts all connections. */
  close(): void;
}

const HEADERS_TIMEOUT_MS = 10_000;
const KEEP_ALIVE_MS = 60_000;
/** Headers of one request; the rest would be dropped in silence, so the limit on bytes comes first. */
const MAX_HEADERS = 1_000;

/** Listens on all addresses or on none. */
export async function startApiServer(options: ApiServerOptions): Promise<ApiServer> {
  const h2c = options.h2c === true ? createH2c(h2cOptions(options)) : undefined;
  const connections = new Set<Socket>();
  const keep = (socket: Socket): void => {
    connections.add(socket);
    socket.once('close', () => connections.delete(socket));
  };
  const open = () => createServer(options, h2c).on('connection', keep);
  const { servers, port } = await listenAll(open, options, options.flag);
  return {
    port,
    async drain() {
      h2c?.drain();
      sayClose(connections);
      await Promise.all(
        servers.map(
          (server) =>
            new Promise<void>((resolve) => {
              // Connections that are busy now are closed as soon as they have their answer, which says so.
              Object.assign(server, { keepAliveTimeout: 1, keepAliveTimeoutBuffer: 0 });
              server.close(() => resolve());
              server.closeIdleConnections();
            }),
        ),
      );
    },
    close() {
      h2c?.close();
      for (const server of servers) {
        server.close();
        server.closeAllConnections();
      }
    },
  };
}

/**
 * Has answers that have not begun tell their clients that the connection ends with them, as Go's servers
 * do while they end: a client would send its next request over it, and never know what became of that.
 */
function sayClose(connections: Iterable<Socket>): void {
  for (const socket of connections) {
    // Node's own name for the answer that a connection waits for.
    const { _httpMessage: answer } = socket as Socket & { _httpMessage?: http.ServerResponse };
    if (answer?.headersSent === false) answer.setHeader('connection', 'close');
  }
}

function h2cOptions({ keepAliveMs = KEEP_ALIVE_MS, maxHeaderBytes, onRequest }: ApiServerOptions) {
  return { idleMs: keepAliveMs, maxHeaderBytes, maxHeaders: MAX_HEADERS, onRequest };
}

function createServer(
  {
    maxHeaderBytes,
    maxConnections,
    keepAliveMs = KEEP_ALIVE_MS,
    headersTimeoutMs = HEADERS_TIMEOUT_MS,
    onRequest,
  }: ApiServerOptions,
  h2c: H2cServer | undefined,
): http.Server {
  const server = nodeHttp.createServer(
    // The types do not know the last one yet: requests without a body get no stream machinery.
    {
      keepAliveTimeout: keepAliveMs,
      headersTimeout: headersTimeoutMs,
      // An upload may take hours as long as it moves; silence within a body has a limit of its own.
      requestTimeout: 0,
      connectionsCheckingInterval: Math.min(2_000, headersTimeoutMs),
      maxHeaderSize: maxHeaderBytes,
      noDelay: true,
      optimizeEmptyRequests: true,
      // A Node that does not know this one has no upgrades: see below.
      shouldUpgradeCallback: (req: IncomingMessage) => h2c !== undefined && asksForH2c(req),
    } as http.ServerOptions,
    (req, res) => {
      // HTTP/1.1 keeps connections without a word of it, and Dapr's answers have none.
      if (req.httpVersionMinor === 1 && res.shouldKeepAlive) res.removeHeader('connection');
      onRequest(req, res);
    },
  );
  server.maxConnections = maxConnections;
  server.maxHeadersCount = MAX_HEADERS;
  server.on('clientError', h2c === undefined ? clientError : clientErrorOrH2c(h2c));
  server.on('connect', refuseConnect);
  if (h2c !== undefined && 'shouldUpgradeCallback' in server) {
    server.on('upgrade', (req: IncomingMessage, socket: Socket, head: Buffer) =>
      upgradeToH2c(req, socket, head, h2c, headersTimeoutMs),
    );
  }
  return server;
}

/** Dapr takes any verb but this one, which is about tunnels. */
function refuseConnect(_req: IncomingMessage, socket: Duplex): void {
  const message = 'failed to invoke: rpc error: code = InvalidArgument desc = invalid HTTP verb';
  const body = JSON.stringify({ errorCode: 'ERR_DIRECT_INVOKE', message });
  socket.end(
    `HTTP/1.1 500 Internal Server Error\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`,
  );
}

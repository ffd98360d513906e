import http from 'node:http';
import https from 'node:https';
import net, { type AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';

/** A proxy that an environment can name, and what it was asked. */
export interface StandingProxy {
  readonly port: number;
  /** Verbs and where to. */
  readonly asked: readonly string[];
  readonly signedIn: readonly string[];
  close(): Promise<void>;
}

/** Answers for whatever it is asked in the clear, and lets `CONNECT` through to a port for each `HOST:PORT` of `through`. */
export async function startProxy(
  through: Readonly<Record<string, number>>,
  tls?: { readonly cert: string; readonly key: string },
): Promise<StandingProxy> {
  const asked: string[] = [];
  const signedIn: string[] = [];
  /** Those that the server no longer knows of. */
  const open = new Set<Duplex>();
  const note = ({ headers, method, url }: http.IncomingMessage) => {
    asked.push(`${method} ${url}`);
    signedIn.push(headers['proxy-authorization'] ?? '(nobody)');
  };
  const answer: http.RequestListener = (req, res) => {
    note(req);
    res.end(`${req.method} ${req.url} for ${req.headers.host}`);
  };
  const server = tls === undefined ? http.createServer(answer) : https.createServer(tls, answer);
  server.on('connect', (req: http.IncomingMessage, socket: Duplex) => {
    note(req);
    open.add(socket);
    socket.on('error', () => {});
    const port = through[req.url ?? ''];
    if (port === undefined) {
      socket.end('HTTP/1.1 403 Forbidden\r\n\r\n');
      return;
    }
    const onwards = net.connect(port, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      socket.pipe(onwards).pipe(socket);
    });
    onwards.on('error', () => socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
      for (const socket of open) socket.destroy();
    });
  return { port: (server.address() as AddressInfo).port, asked, signedIn, close };
}

import http from 'node:http';
import type { AddressInfo } from 'node:net';

/** What the application saw of a request; it answers with this as JSON. */
export interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** An application that does as the query says: `status`, `delay`, `die`, `bytes`, `fail` (the first n calls), `h-NAME`. */
export interface EchoApp {
  readonly port: number;
  /** Calls per path so far. */
  calls(path: string): number;
  close(): Promise<void>;
}

/** What a test has the application do on some paths: undefined leaves them to the echo. */
export type Instead = (
  seen: Seen,
) => { readonly status: number; readonly body: string; readonly afterMs?: number } | undefined;

export async function startEchoApp(instead: Instead = () => undefined): Promise<EchoApp> {
  const counts = new Map<string, number>();
  const server = http.createServer((req, res) => {
    const chunks: Buffer[] = [];
    req.on('data', (chunk: Buffer) => chunks.push(chunk));
    req.on('end', () => {
      const url = new URL(req.url ?? '/', 'http://app');
      const call = (counts.get(url.pathname) ?? 0) + 1;
      counts.set(url.pathname, call);
      const body = Buffer.concat(chunks).toString('latin1');
      const other = instead(seenOf(req, body));
      if (other !== undefined) {
        const { afterMs = 0, body: text, status } = other;
        const say = () => res.writeHead(status, { 'content-type': 'application/json' }).end(text);
        if (afterMs === 0) say();
        else setTimeout(say, afterMs);
        return;
      }
      const answer = () => respond(req, res, url, call, body);
      setTimeout(answer, Number(url.searchParams.get('delay') ?? 0));
    });
  });
  server.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    calls: (path) => counts.get(path) ?? 0,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function respond(
  req: http.IncomingMessage,
  res: http.ServerResponse,
  url: URL,
  call: number,
  body: string,
): void {
  if (res.destroyed) return;
  const query = url.searchParams;
  if (query.has('die')) {
    if (query.get('die') === 'now') {
      res.destroy();
      return;
    }
    res.writeHead(200, query.get('die') === 'chunked' ? {} : { 'content-length': 100 });
    res.write('half of it');
    setTimeout(() => res.destroy(), 30);
    return;
  }
  if (query.has('bytes')) {
    res.end('x'.repeat(Number(query.get('bytes'))));
    return;
  }
  const failing = call <= Number(query.get('fail') ?? 0);
  const status = failing ? 503 : Number(query.get('status') ?? 200);
  const headers: Record<string, string> = { 'content-type': 'application/json', 'x-app': 'echo' };
  for (const [name, value] of query) if (name.startsWith('h-')) headers[name.slice(2)] = value;
  res.writeHead(status, headers);
  const text = JSON.stringify(seenOf(req, body));
  res.end(req.method === 'HEAD' || status === 204 || status === 304 ? '' : text);
}

function seenOf(req: http.IncomingMessage, body: string): Seen {
  return {
    method: req.method ?? '',
    url: req.url ?? '',
    headers: Object.fromEntries(Object.entries(req.headers).map(([k, v]) => [k, String(v)])),
    body,
  };
}

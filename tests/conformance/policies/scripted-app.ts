import http from 'node:http';
import type { AddressInfo } from 'node:net';

/** How the application takes one call: by its status, or it keeps it waiting. */
export type AppTurn = number | 'hang';

/** An application that does at each path what its script says. */
export interface ScriptedApp {
  readonly port: number;
  /** The last turn stays. Absent: 404, but 200 to what is posted. */
  script(path: string, turns: readonly AppTurn[]): void;
  /** How often it was posted there. */
  posted(path: string): number;
  close(): Promise<void>;
}

export async function scriptedApp(): Promise<ScriptedApp> {
  const scripts = new Map<string, AppTurn[]>();
  const counts = new Map<string, number>();
  const server = http.createServer((req, res) => {
    const { method, url = '' } = req;
    req.resume();
    if (method !== 'POST') {
      res.writeHead(scripts.has(url) ? 200 : 404).end();
      return;
    }
    counts.set(url, (counts.get(url) ?? 0) + 1);
    const script = scripts.get(url) ?? [];
    const turn = (script.length > 1 ? script.shift() : script[0]) ?? 200;
    if (turn !== 'hang') res.writeHead(turn).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    script: (path, turns) => void scripts.set(path, [...turns]),
    posted: (path) => counts.get(path) ?? 0,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

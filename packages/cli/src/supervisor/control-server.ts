import { timingSafeEqual } from 'node:crypto';
import { chmodSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { constants } from 'node:os';
import type { RunRecord } from '../run-state/run-record.ts';
import type { Run } from './run.ts';

/** A command is a name and a signal. */
const MAX_BODY_BYTES = 4_096;

/** What a client may ask for; the path says which. */
export type ControlCommand = 'ps' | 'kill' | 'start' | 'stop' | 'stop-app';

export interface ControlServer {
  close(): Promise<void>;
}

/**
 * Answers `holdfast ps`, `kill`, `start` and `stop` on a socket in a folder that
 * only its user can enter, for those who know the word in the run's record.
 */
export async function serveControl(
  run: Run,
  { socket, token }: RunRecord['control'],
): Promise<ControlServer> {
  const server = createServer({ keepAlive: false }, (request, response) => {
    answer(run, token, request).then(
      (body) => reply(response, 200, body),
      (error: Error) => reply(response, 400, { error: error.message }),
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(socket, resolve);
  });
  if (process.platform !== 'win32') chmodSync(socket, 0o600);
  // Commands must not keep a run alive that has ended.
  server.unref();
  return {
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeIdleConnections();
      }),
  };
}

async function answer(run: Run, token: string, request: IncomingMessage): Promise<unknown> {
  if (!isEqual(request.headers.authorization ?? '', `Bearer ${token}`)) {
    throw new Error('This run belongs to another token; read its record again.');
  }
  const command = request.url?.slice(1) as ControlCommand;
  const body = (await bodyOf(request)) as { name?: string; signal?: string; force?: boolean };
  switch (command) {
    case 'ps':
      return run.ps();
    case 'kill':
      await run.kill(body.name ?? '', signalNamed(body.signal));
      return run.ps();
    case 'start':
      await run.start(body.name ?? '');
      return run.ps();
    case 'stop-app':
      await run.stopApp(body.name ?? '', { force: body.force === true });
      return run.ps();
    case 'stop':
      // The answer goes out first: with the last process this server ends too.
      setImmediate(() => void run.stop({ force: body.force === true }));
      return [];
    default:
      throw new RangeError(`There is no command "${String(command)}".`);
  }
}

/** `SIGTERM`, `TERM` and `15` are one. */
function signalNamed(given = 'SIGKILL'): NodeJS.Signals {
  const upper = given.toUpperCase();
  const byNumber = Object.entries(constants.signals).find(([, number]) => String(number) === upper);
  const name = byNumber?.[0] ?? (upper.startsWith('SIG') ? upper : `SIG${upper}`);
  if (name in constants.signals) return name as NodeJS.Signals;
  throw new RangeError(
    `There is no signal "${given}"; try SIGTERM, SIGKILL, SIGSTOP, SIGCONT or SIGHUP.`,
  );
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  let text = '';
  request.setEncoding('utf8');
  for await (const chunk of request) {
    text += chunk;
    if (text.length > MAX_BODY_BYTES) throw new RangeError('A command is never that long.');
  }
  return text === '' ? {} : JSON.parse(text);
}

function reply(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json', connection: 'close' });
  response.end(JSON.stringify(body));
}

function isEqual(given: string, wanted: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(wanted)];
  return a.length === b.length && timingSafeEqual(a, b);
}

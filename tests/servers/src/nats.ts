import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findProgram } from './find-program.ts';
import { freePort } from './free-port.ts';
import { type ServerProcess, startServer } from './server-process.ts';
import { Unavailable } from './with-server.ts';

export interface NatsServer {
  readonly process: ServerProcess;
  readonly port: number;
  readonly url: string;
  /** All that it keeps, for a backup while it is down. */
  readonly folder: string;
}

/** A NATS server with JetStream on disk. `more` are further settings, such as `-sd` and a folder that stays. */
export async function natsServer(more: readonly string[] = []): Promise<NatsServer | Unavailable> {
  const command = findProgram('nats-server');
  if (command === undefined) return new Unavailable('NATS', 'nats-server');
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-nats-'));
  const port = await freePort();
  const process = await startServer({
    name: 'NATS',
    command,
    args: ['-a', '127.0.0.1', '-p', String(port), '-js', '-sd', folder, ...more],
    port,
    cleanUp: () => rm(folder, { recursive: true, force: true }),
  });
  return { process, port, url: `nats://127.0.0.1:${port}`, folder };
}

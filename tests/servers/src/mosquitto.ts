import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findProgram } from './find-program.ts';
import { freePort } from './free-port.ts';
import { type ServerProcess, startServer } from './server-process.ts';
import { Unavailable } from './with-server.ts';

export interface MosquittoServer {
  readonly process: ServerProcess;
  readonly port: number;
  readonly url: string;
  /** All that it keeps, for a backup while it is down. */
  readonly folder: string;
}

/**
 * A Mosquitto with its sessions on disk that takes packets up to 1 MiB. It writes a moment after
 * it has acknowledged, and all of it when it is stopped in peace: `kill` may lose the last second.
 * `more` are further lines of its configuration; `kept` is a folder for its sessions, which stays
 * when it is removed: another one there finds them, on whatever port.
 */
export async function mosquittoServer(
  more: readonly string[] = [],
  kept?: string,
): Promise<MosquittoServer | Unavailable> {
  const command = findProgram('mosquitto');
  if (command === undefined) return new Unavailable('Mosquitto', 'mosquitto');
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-mosquitto-'));
  const port = await freePort();
  const config = join(folder, 'mosquitto.conf');
  const lines = [
    // Started by root it would become somebody who may not write here.
    ...['user root', `listener ${port} 127.0.0.1`, 'allow_anonymous true'],
    ...['persistence true', `persistence_location ${kept ?? folder}/`],
    ...['autosave_on_changes true', 'autosave_interval 1'],
    ...['max_packet_size 1048576', ...more],
  ];
  await writeFile(config, `${lines.join('\n')}\n`);
  const process = await startServer({
    name: 'Mosquitto',
    command,
    args: ['-c', config],
    port,
    cleanUp: () => rm(folder, { recursive: true, force: true }),
  });
  return { process, port, url: `mqtt://127.0.0.1:${port}`, folder: kept ?? folder };
}

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { type ServerProcess, Unavailable } from '@holdfast/test-servers';
import type { BrokerUnderOutages } from '../outages/broker-outages.ts';

/** A real server for `brokerOutages`: what it can suffer, and why it is not there, if it is not. */
export interface MovingServer {
  readonly skip: string | false;
  readonly suffers: Pick<BrokerUnderOutages, 'port' | 'kill' | 'start' | 'signal'> &
    Required<Pick<BrokerUnderOutages, 'move'>>;
}

interface Server {
  readonly process: ServerProcess;
  readonly port: number;
}

/**
 * Starts a server by `begin`, which is to keep everything in the folder it is given: that folder
 * stays, so that a successor on another port finds what its predecessor wrote. All of it is removed
 * after the tests of the file.
 */
export async function movingServer(
  begin: (folder: string) => Promise<Server | Unavailable>,
): Promise<MovingServer> {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-outages-'));
  const servers: Server[] = [];
  const start = async () => {
    const server = await begin(folder);
    if (!(server instanceof Unavailable)) servers.push(server);
    return server;
  };
  const found = await start();
  if (found instanceof Unavailable && process.env.CI === 'true') throw new Error(found.why);
  after(async () => {
    for (const server of servers) await server.process.remove();
    await rm(folder, { recursive: true, force: true });
  });
  const now = () => servers.at(-1)!;
  return {
    skip: found instanceof Unavailable ? found.why : false,
    suffers: {
      port: () => now().port,
      kill: () => now().process.kill(),
      start: () => now().process.restart(),
      signal: (signal) => now().process.signal(signal),
      async move() {
        await now().process.kill();
        await start();
      },
    },
  };
}

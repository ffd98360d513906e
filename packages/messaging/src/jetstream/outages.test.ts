import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { type NatsServer, natsServer, Unavailable } from '@holdfast/test-servers';
import * as jetstream from '@nats-io/jetstream';
import * as nats from '@nats-io/transport-node';
import { brokerOutages } from '../testing/broker-outages.ts';
import { jetstreamBroker } from './jetstream-broker.ts';

// Of its own, so that a successor on another port finds what its predecessor wrote.
const folder = await mkdtemp(join(tmpdir(), 'holdfast-outages-'));
const servers: NatsServer[] = [];
const start = async () => {
  const server = await natsServer(['-sd', folder]);
  if (!(server instanceof Unavailable)) servers.push(server);
  return server;
};
const found = await start();
if (found instanceof Unavailable && process.env.CI === 'true') throw new Error(found.why);
after(async () => {
  for (const { process } of servers) await process.remove();
  await rm(folder, { recursive: true, force: true });
});

const now = () => servers.at(-1)!;

brokerOutages(
  'jetstreamBroker',
  async () => ({
    connect: (clientId, port) =>
      jetstreamBroker({
        nats,
        jetstream,
        servers: [`nats://127.0.0.1:${port()}`],
        clientId,
        ackWaitMs: 2_000,
        timeoutMs: 2_000,
        reconnectMs: 50,
      }),
    port: () => now().port,
    kill: () => now().process.kill(),
    start: () => now().process.restart(),
    signal: (signal) => now().process.signal(signal),
    async move() {
      await now().process.kill();
      await start();
    },
    acknowledges: (piece) => piece.includes('+ACK'),
  }),
  { skip: found instanceof Unavailable ? found.why : false },
);

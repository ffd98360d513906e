import { freePort, type ServerProcess, Unavailable } from '@holdfast/test-servers';
import * as kafka from '@platformatic/kafka';
import { brokerOutages } from '../testing/outages/broker-outages.ts';
import { kafkaProblem, startKafka } from '../testing/servers/kafka-server.ts';
import { movingServer } from '../testing/servers/moving-server.ts';
import { kafkaBroker } from './kafka-broker.ts';

const problem = await kafkaProblem();
/** Kafka tells its clients where to come: to the proxy. */
let frontPort = 0;

const { skip, suffers } = await movingServer(async (folder) => {
  if (problem !== undefined) return new Unavailable('Apache Kafka', problem);
  const advertisedPort = await freePort();
  frontPort = advertisedPort;
  let server = await startKafka({ dataDir: folder, advertisedPort });
  const { port } = server;
  const process: ServerProcess = {
    port,
    pid: () => server.pid,
    stop: () => server.stop(),
    kill: () => server.kill(),
    signal: (signal) => server.signal(signal),
    async restart() {
      server = await startKafka({ dataDir: folder, port, advertisedPort });
    },
    remove: () => server.kill(),
  };
  return { port, process };
});

brokerOutages(
  'kafkaBroker',
  async () => ({
    ...suffers,
    frontPort: () => frontPort,
    connect: (clientId, port) =>
      kafkaBroker({
        kafka,
        bootstrap: () => [`127.0.0.1:${port()}`],
        clientId,
        sessionTimeoutMs: 6_000,
        timeoutMs: 2_000,
        reconnectMs: 50,
      }),
    acknowledges,
  }),
  {
    skip,
    findsAddress: true,
    shortRun: ['a SIGSTOP', 'three connections reset half-way through an acknowledgement'],
  },
);

const OFFSET_COMMIT = 8;

/** A piece is some requests, each its length, then which it is. */
function acknowledges(piece: Buffer): boolean {
  for (let at = 0; at + 6 <= piece.length; at += 4 + piece.readInt32BE(at)) {
    if (piece.readInt16BE(at + 4) === OFFSET_COMMIT) return true;
  }
  return false;
}

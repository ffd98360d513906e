import { natsServer } from '@holdfast/test-servers';
import * as jetstream from '@nats-io/jetstream';
import * as nats from '@nats-io/transport-node';
import { brokerOutages } from '../testing/outages/broker-outages.ts';
import { movingServer } from '../testing/servers/moving-server.ts';
import { jetstreamBroker } from './jetstream-broker.ts';

const { skip, suffers } = await movingServer((folder) => natsServer(['-sd', folder]));

brokerOutages(
  'jetstreamBroker',
  async () => ({
    ...suffers,
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
    acknowledges: (piece) => piece.includes('+ACK'),
  }),
  { skip },
);

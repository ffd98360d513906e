import { rabbitServer } from '@holdfast/test-servers';
import * as amqp from 'amqplib';
import { brokerOutages } from '../testing/outages/broker-outages.ts';
import { movingServer } from '../testing/servers/moving-server.ts';
import { rabbitBroker } from './rabbit-broker.ts';

const { skip, suffers } = await movingServer((folder) => rabbitServer(folder));

/** The method `basic.ack` of AMQP 0-9-1: class 60, method 80. */
const ACK = Buffer.from([0, 60, 0, 80]);

brokerOutages(
  'rabbitBroker',
  async () => ({
    ...suffers,
    connect: (clientId, port, killed) =>
      rabbitBroker({
        amqp,
        url: `amqp://guest:guest@127.0.0.1:${port()}`,
        clientId,
        ...(killed ? {} : { settleMs: 0 }),
        timeoutMs: 5_000,
        reconnectMs: 100,
      }),
    acknowledges: (piece) => piece.includes(ACK),
  }),
  {
    skip,
    // It is killed once, to come back at another address.
    shortRun: [
      'a restart at another address',
      'three connections reset half-way through an acknowledgement',
    ],
  },
);

import { mosquittoServer } from '@holdfast/test-servers';
import * as mqtt from 'mqtt';
import { brokerOutages } from '../testing/outages/broker-outages.ts';
import { movingServer } from '../testing/servers/moving-server.ts';
import { mqttBroker } from './mqtt-broker.ts';

const { skip, suffers } = await movingServer((folder) => mosquittoServer([], folder));

/** A PUBACK of MQTT 5 that has nothing to say: type and flags, two bytes to come, a packet id. */
const isPuback = (piece: Buffer) => piece.length >= 4 && piece[0] === 0x40 && piece[1] === 2;

brokerOutages(
  'mqttBroker on Mosquitto',
  async () => ({
    ...suffers,
    connect: (clientId, port) =>
      mqttBroker({
        mqtt,
        url: `mqtt://127.0.0.1:${port()}`,
        clientId,
        timeoutMs: 2_000,
        reconnectMs: 50,
      }),
    acknowledges: isPuback,
  }),
  // It writes what it has acknowledged a moment later.
  { skip, severalMembers: false, mayForgetMs: 1_000 },
);

import { redisServer } from '@holdfast/test-servers';
import * as redis from 'ioredis';
import { brokerOutages } from '../testing/outages/broker-outages.ts';
import { movingServer } from '../testing/servers/moving-server.ts';
import { redisStreamsBroker } from './redis-streams-broker.ts';

const { skip, suffers } = await movingServer((folder) => redisServer(['--dir', folder]));

brokerOutages(
  'redisStreamsBroker',
  async () => ({
    ...suffers,
    connect: (clientId, port) =>
      redisStreamsBroker({
        redis,
        url: () => `redis://127.0.0.1:${port()}`,
        clientId,
        claimIdleMs: 2_000,
        timeoutMs: 2_000,
        reconnectMs: 50,
        trimMs: 200,
      }),
    acknowledges: (piece) => piece.includes('XACK'),
  }),
  { skip, findsAddress: true },
);

import { postgresServer, Unavailable } from '@holdfast/test-servers';
import { Pool } from 'pg';
import { brokerOutages } from '../testing/outages/broker-outages.ts';
import { forkingServer } from '../testing/servers/forking-server.ts';
import { movingServer } from '../testing/servers/moving-server.ts';
import { postgresBroker } from './postgres-broker.ts';

const { skip, suffers } = await movingServer(async (folder) => {
  const server = await postgresServer({ folder });
  if (server instanceof Unavailable) return server;
  return { port: server.port, process: forkingServer(server.process) };
});

brokerOutages(
  'postgresBroker',
  async () => ({
    ...suffers,
    connect(clientId, port) {
      const pool = new Pool({
        connectionString: `postgres://postgres@127.0.0.1:${port()}/postgres`,
        max: 4,
      });
      const broker = postgresBroker({
        pool,
        clientId: clientId.slice(0, 100),
        claimMs: 2_000,
        timeoutMs: 2_000,
        reconnectMs: 50,
      });
      return {
        ...broker,
        async close() {
          await broker.close();
          await pool.end();
        },
      };
    },
    acknowledges: (piece) => piece.includes('broker_claim WHERE group_id'),
  }),
  {
    skip,
    shortRun: ['a SIGKILL', 'three connections reset half-way through an acknowledgement'],
  },
);

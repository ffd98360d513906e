import { Pool } from 'pg';
import { openOutbox } from '../../outbox.ts';
import { postgresStore } from '../../postgres/index.ts';
import { nodeBroker } from './node-broker.ts';

/** A relay from PostgreSQL to a broker: `postgres-relay-process.ts URL SCHEMA RELAY TOPIC WHERE LEASE_MS`. SIGTERM ends it cleanly. */
const [url = '', schema = '', relay = '0', , where = '', leaseMs = '1000'] = process.argv.slice(2);
const pool = new Pool({ connectionString: url, max: 5 });
const outbox = await openOutbox({ store: postgresStore({ pool, schema, timeoutMs: 5_000 }) });
const name = `relay-${relay}`;
const broker = await nodeBroker(where, { pool, schema, name, holdMs: Number(leaseMs) });
outbox.relay(broker, { batchSize: 20, leaseMs: Number(leaseMs), pollMs: 100 });
process.stdout.write('ready\n');
process.once('SIGTERM', async () => {
  await outbox.close();
  await broker.close();
  await pool.end();
});

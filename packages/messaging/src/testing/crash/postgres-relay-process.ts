import { Pool } from 'pg';
import { openOutbox } from '../../outbox.ts';
import { postgresStore } from '../../postgres/index.ts';
import { postgresBroker } from '../../postgres-broker/index.ts';

/** A relay from PostgreSQL to PostgreSQL: `postgres-relay-process.ts URL SCHEMA LEASE_MS`. SIGTERM ends it cleanly. */
const [url = '', schema = '', leaseMs = '1000'] = process.argv.slice(2);
const pool = new Pool({ connectionString: url, max: 5 });
const outbox = await openOutbox({ store: postgresStore({ pool, schema, timeoutMs: 5_000 }) });
// Few may wait for the workers; the rest stays in the outbox, and holds the producers.
const broker = postgresBroker({
  pool,
  schema,
  clientId: 'relay',
  timeoutMs: 5_000,
  maxMessages: 200,
});
outbox.relay(broker, { batchSize: 20, leaseMs: Number(leaseMs), pollMs: 100 });
process.stdout.write('ready\n');
process.once('SIGTERM', async () => {
  await outbox.close();
  await broker.close();
  await pool.end();
});

import { setTimeout as sleep } from 'node:timers/promises';
import { Pool } from 'pg';
import { postgresBroker } from '../../postgres-broker/index.ts';

/**
 * A member of a group on PostgreSQL: `broker-worker-process.ts URL SCHEMA CLAIM_MS WORKER`. Writes to
 * the table `SCHEMA_log` when it begins with a message and when it has ended. SIGTERM ends it cleanly.
 */
const [url = '', schema = '', claimMs = '1000', worker = '0'] = process.argv.slice(2);
const pool = new Pool({ connectionString: url, max: 4, query_timeout: 5_000 });
const broker = postgresBroker({
  pool,
  schema,
  clientId: `worker-${worker}`,
  claimMs: Number(claimMs),
  timeoutMs: 5_000,
  reconnectMs: 50,
  pollMs: 100,
});
await broker.subscribe('crash', { group: 'workers', redeliverMs: 10 }, async ({ id, key }) => {
  const { rows } = await pool.query(
    `INSERT INTO ${schema}_log (id, key, worker, began) VALUES ($1, $2, $3, clock_timestamp()) RETURNING n`,
    [id, key, worker],
  );
  await sleep(2);
  await pool.query(`UPDATE ${schema}_log SET ended = clock_timestamp() WHERE n = $1`, [rows[0].n]);
});
process.stdout.write('ready\n');
process.once('SIGTERM', async () => {
  await broker.close();
  await pool.end();
});

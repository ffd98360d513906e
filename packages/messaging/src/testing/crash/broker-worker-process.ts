import { setTimeout as sleep } from 'node:timers/promises';
import { Pool } from 'pg';
import { nodeBroker } from './node-broker.ts';

/**
 * A member of a group: `broker-worker-process.ts URL SCHEMA WORKER TOPIC WHERE HOLD_MS GROUP HANDLE_MS`. Writes to
 * the table `SCHEMA_log` when it begins with a message and when it has ended. SIGTERM ends it cleanly.
 */
const [
  url = '',
  schema = '',
  worker = '0',
  topic = '',
  where = '',
  holdMs = '1000',
  group = '',
  handleMs = '2',
] = process.argv.slice(2);
const pool = new Pool({ connectionString: url, max: 4, query_timeout: 5_000 });
const name = `worker-${worker}`;
const broker = await nodeBroker(where, { pool, schema, name, holdMs: Number(holdMs) });
await broker.subscribe(topic, { group, redeliverMs: 10 }, async ({ id, key }) => {
  const { rows } = await pool.query(
    `INSERT INTO ${schema}_log (id, key, worker, began) VALUES ($1, $2, $3, clock_timestamp()) RETURNING n`,
    [id, key, worker],
  );
  await sleep(Number(handleMs));
  await pool.query(`UPDATE ${schema}_log SET ended = clock_timestamp() WHERE n = $1`, [rows[0].n]);
});
process.stdout.write('ready\n');
process.once('SIGTERM', async () => {
  await broker.close();
  await pool.end();
});

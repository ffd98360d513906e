import { setTimeout as sleep } from 'node:timers/promises';
import { Pool } from 'pg';
import { StoreUnavailableError } from '../../errors.ts';
import { postgresStore } from '../../postgres/index.ts';

/**
 * A worker on PostgreSQL: `postgres-worker-process.ts URL SCHEMA LEASE_MS`. Leases, writes what it has
 * to the table `SCHEMA_log` and marks it delivered, until it is told to stop.
 */
const [url = '', schema = '', leaseMs = '1000'] = process.argv.slice(2);
const pool = new Pool({ connectionString: url, max: 2, query_timeout: 2_000 });
const store = postgresStore({ pool, schema, timeoutMs: 2_000 });
let stopping = false;
process.once('SIGTERM', () => {
  stopping = true;
});
process.stdout.write('ready\n');

while (!stopping) {
  try {
    const leases = await store.lease(10, Number(leaseMs));
    if (leases.length === 0) await sleep(10);
    await pool.query(
      `INSERT INTO ${schema}_log (id, key, worker) SELECT *, $3::integer FROM unnest($1::text[], $2::text[])`,
      [
        leases.map(({ message: { id } }) => id),
        leases.map(({ message: { key } }) => key),
        process.pid,
      ],
    );
    await store.complete(leases);
  } catch (error) {
    const known = error instanceof StoreUnavailableError || isOutage(error);
    if (!known) throw error;
    await sleep(50);
  }
}
await pool.end();

/** What `pg` says of the log while the database is away. */
function isOutage(error: unknown): boolean {
  const { code = '', message } = error as { readonly code?: string; readonly message: string };
  return /^(?:57|08|ECONN|EPIPE)/.test(code) || /terminated|timeout/i.test(message);
}

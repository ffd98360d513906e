import { setTimeout as sleep } from 'node:timers/promises';
import { Pool } from 'pg';
import { postgresInbox, postgresStore } from '../../postgres/index.ts';
import { postgresBroker } from '../../postgres-broker/index.ts';

/**
 * Brings schemas up to date, one after another: `postgres-upgrade-process.ts URL SCHEMA…`: an outbox and a
 * broker in it, and an inbox beside it. Prints each before it does, and `refused: WHY` when it has to try again.
 */
const [url = '', ...schemas] = process.argv.slice(2);
const pool = new Pool({ connectionString: url, max: 3 });
pool.on('error', () => {});

for (const schema of schemas) {
  process.stdout.write(`${schema}\n`);
  const options = { pool, schema, timeoutMs: 60_000 };
  await made(() => postgresStore(options).open());
  await made(() => postgresBroker(options).open());
  await made(() => postgresInbox({ pool, schema: `${schema}_inbox` }));
}
await pool.end();

/** Whoever started this knows whether the server was away, or whether a refusal is wrong. */
async function made(open: () => Promise<unknown>): Promise<void> {
  for (;;) {
    try {
      await open();
      return;
    } catch (error) {
      process.stdout.write(`refused: ${(error as Error).message}\n`);
      await sleep(50);
    }
  }
}

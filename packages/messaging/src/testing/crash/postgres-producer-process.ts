import { setTimeout as sleep } from 'node:timers/promises';
import { Pool } from 'pg';
import { OutboxRefusedError } from '../../errors.ts';
import { openOutbox } from '../../outbox.ts';
import { postgresStore } from '../../postgres/index.ts';

/**
 * A producer on PostgreSQL: `postgres-producer-process.ts URL SCHEMA RUN [TOPIC PAUSE_MS]`. Prints each id after it was
 * accepted; what was refused it tries again, with the same ids. SIGTERM ends it cleanly.
 */
const [url = '', schema = '', run = '0', topic = 'crash', pauseMs = '0'] = process.argv.slice(2);
const pool = new Pool({ connectionString: url, max: 4 });
const outbox = await openOutbox({ store: postgresStore({ pool, schema, timeoutMs: 2_000 }) });
let stopping = false;
process.once('SIGTERM', () => {
  stopping = true;
});

for (let n = 0; !stopping; ) {
  const group = Array.from({ length: 1 + (n % 7) }, () => {
    n += 1;
    const id = `${run.padStart(3, '0')}-${String(n).padStart(6, '0')}`;
    return { id, topic, key: `key-${run}-${n % 5}`, body: id };
  });
  while (!(await accepted(group))) await sleep(50);
  process.stdout.write(`${group.map(({ id }) => id).join('\n')}\n`);
  await sleep(Number(pauseMs));
  // No faster than the workers, or there would be nothing but backlog to test.
  while (!stopping && (await queued()) > 100) await sleep(20);
}
await outbox.close();
await pool.end();

async function queued(): Promise<number> {
  try {
    return (await outbox.stats()).queued;
  } catch (error) {
    if (error instanceof OutboxRefusedError) return Number.POSITIVE_INFINITY;
    throw error;
  }
}

async function accepted(group: Parameters<typeof outbox.accept>[0]): Promise<boolean> {
  try {
    await outbox.accept(group);
    return true;
  } catch (error) {
    if (error instanceof OutboxRefusedError) return false;
    throw error;
  }
}

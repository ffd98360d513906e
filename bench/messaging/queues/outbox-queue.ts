import { type MessageStore, openOutbox } from '@holdfast/messaging';
import { postgresStore } from '@holdfast/messaging/postgres';
import { sqliteStore } from '@holdfast/messaging/sqlite';
import { Pool } from 'pg';
import { BODY, type Queue } from './queue.ts';

export function outboxOnSqlite(path: string): Promise<Queue> {
  return outboxQueue('outbox on SQLite', 'SQLite', sqliteStore({ path }), async () => {});
}

export function outboxOnPostgres(url: string): Promise<Queue> {
  const pool = new Pool({ connectionString: url });
  return outboxQueue('outbox on PostgreSQL', 'PostgreSQL', postgresStore({ pool }), () =>
    pool.end(),
  );
}

/** Accepts, leases and completes as a relay does, without a broker in between. */
async function outboxQueue(
  name: string,
  engine: Queue['engine'],
  store: MessageStore,
  end: () => Promise<void>,
): Promise<Queue> {
  const outbox = await openOutbox({ store });
  const body = JSON.stringify(BODY);
  const group = async (count: number) => {
    await outbox.accept(Array.from({ length: count }, () => ({ topic: 'events', body })));
    const leases = await store.lease(count, 5_000);
    if ((await store.complete(leases)) !== count) throw new Error('not all were there');
  };
  return {
    name,
    engine,
    single: () => group(1),
    group,
    async close() {
      await outbox.close();
      await end();
    },
  };
}

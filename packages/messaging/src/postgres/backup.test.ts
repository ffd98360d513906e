import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Pool } from 'pg';
import { postgresSuite } from '../testing/servers/postgres-suite.ts';
import { postgresInbox } from './inbox.ts';
import { postgresStore } from './postgres-store.ts';

const ROOMY = { maxMessages: 100, maxBytes: 100_000 };

await postgresSuite('a backup of PostgreSQL', ({ server, pool }) => {
  test('yesterday’s database: what was delivered since comes again with its ids, and has its effect once; what was accepted since is not in it', async () => {
    // The consumer's own database is today's.
    const inbox = await postgresInbox({ pool });
    const effects: string[] = [];
    const deliverAll = (database: string) =>
      using(database, async (store) => {
        const leases = await store.lease(10, 60_000);
        for (const { message } of leases) {
          await inbox.once(message.id, async () => void effects.push(message.id));
        }
        await store.complete(leases);
        return leases.map(({ message: { id } }) => id);
      });
    const accept = (database: string, ...ids: string[]) =>
      using(database, (store) => store.append([ids.map((id) => message(id))], ROOMY));

    await pool.query('CREATE DATABASE today');
    await accept('today', 'before');
    const delivered = [await deliverAll('today')];
    await accept('today', 'waits');
    await pool.query('CREATE DATABASE yesterday TEMPLATE today');
    delivered.push(await deliverAll('today'));
    await accept('today', 'since');
    delivered.push(await deliverAll('yesterday'));
    const [again, stats] = await using('yesterday', async (store) => [
      await store.append([['before', 'waits', 'since'].map((id) => message(id))], ROOMY),
      await store.stats(),
    ]);

    assert.deepEqual(delivered, [['before'], ['waits'], ['waits']]);
    assert.deepEqual(effects, ['before', 'waits']);
    assert.deepEqual(again, [{ kind: 'kept', duplicates: [true, true, false] }]);
    assert.deepEqual([stats.queued, stats.successful], [1, 2]);
  });

  /** A store in a database that nobody is connected to before and after. */
  async function using<T>(
    database: string,
    work: (store: ReturnType<typeof postgresStore>) => Promise<T>,
  ): Promise<T> {
    const url = new URL(server.url);
    url.pathname = `/${database}`;
    const own = new Pool({ connectionString: url.href });
    const store = postgresStore({ pool: own });
    try {
      return await work(store);
    } finally {
      await store.close();
      await own.end();
    }
  }
});

function message(id: string) {
  return { id, topic: 'events', key: 'k', body: Buffer.from(id), headers: {} };
}

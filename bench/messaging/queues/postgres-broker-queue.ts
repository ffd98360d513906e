import { postgresBroker } from '@holdfast/messaging/postgres-broker';
import { Pool } from 'pg';
import { BODY, Count, type Queue } from './queue.ts';

/** With one group that is woken by `NOTIFY`, ten handlers at a time, ids remembered: as it is by default. */
export async function postgresBrokerQueue(url: string): Promise<Queue> {
  const pool = new Pool({ connectionString: url });
  const broker = postgresBroker({ pool, schema: 'bench_broker', prefetch: 100 });
  const handed = new Count();
  await broker.subscribe('events', { group: 'bench', concurrency: 10 }, async () => handed.one());
  const body = Buffer.from(JSON.stringify(BODY));
  let made = 0;
  const group = async (count: number) => {
    const all = handed.of(count);
    await broker.publish(
      Array.from({ length: count }, () => {
        made += 1;
        return { id: `event-${made}`, topic: 'events', key: undefined, body, headers: {} };
      }),
    );
    await all;
    // Until it is marked as done, which nobody is told of.
    for (;;) {
      const { rows } = await pool.query('SELECT 1 FROM bench_broker.broker_delivery LIMIT 1');
      if (rows.length === 0) return;
    }
  };
  return {
    name: 'broker on PostgreSQL',
    engine: 'PostgreSQL',
    single: () => group(1),
    group,
    async close() {
      await broker.close();
      await pool.end();
    },
  };
}

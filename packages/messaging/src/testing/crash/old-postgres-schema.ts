import type { Pool, PoolClient } from 'pg';
import { migrate } from '../../postgres/migrate.ts';
import { postgresStore } from '../../postgres/postgres-store.ts';
import { allSteps } from '../../postgres/tables.ts';

/** Ids that a schema of an older version holds. */
const HELD = ['behind', 'dead', 'delivered', 'free', 'leased'];

/** Tables as version `version` made and filled them; none for 0. */
export async function oldPostgresSchema(
  client: PoolClient,
  schema: string,
  version: number,
): Promise<void> {
  if (version === 0) return;
  await migrate(client, schema, allSteps(schema).slice(0, version));
  // Columns of version 1 alone, which every later one has.
  await client.query(`
    INSERT INTO ${schema}.message
      (id, state, topic, key, headers, body, bytes, accepted_ms, start_ms, priority, lease, deliveries, reason)
    VALUES
      ('leased', 0, 'old', 'k', '', 'leased', 6, 0, 0, 0, 'somebody', 1, NULL),
      ('behind', 0, 'old', 'k', '', 'behind', 6, 0, 0, 0, NULL, 0, NULL),
      ('free', 0, 'old', NULL, '', 'free', 4, 0, 0, 0, NULL, 0, NULL),
      ('delivered', 1, 'old', NULL, '', '', 0, 0, 0, 0, NULL, 1, NULL),
      ('dead', 2, 'old', NULL, '', 'dead', 4, 0, 0, 0, NULL, 5, 'too large');
    INSERT INTO ${schema}.tally VALUES (3, 16, 1, 1, 1);`);
}

/** What is left of it for a store of today, and whether that does all it does. */
export async function readOldPostgresSchema(pool: Pool, schema: string, version: number) {
  const store = postgresStore({ pool, schema });
  const { queued, successful, dead } = await store.stats();
  const { rows } = await pool.query(`SELECT id FROM ${schema}.message`);
  const lost = version === 0 ? [] : HELD.filter((id) => !rows.some((row) => row.id === id));

  const fresh = { id: 'fresh', topic: 'new', key: 'k', body: Buffer.from('fresh'), headers: {} };
  await store.append([[fresh]], { maxMessages: 10, maxBytes: 1_000 });
  const leases = await store.lease(10, 60_000);
  const noted = await store.note(leases.map((lease) => ({ lease, text: 'half' })));
  const completed = await store.complete(leases);
  const replayed = await store.replay(['dead']);
  await store.close();

  const came = leases.map(({ message: { id, body } }) => `${id} ${body}`).join();
  const old = version === 0 ? '' : 'leased leased,behind behind,free free,';
  const actual = { queued, successful, dead, came, noted, completed, replayed };
  const expected =
    version === 0
      ? {
          queued: 0,
          successful: 0,
          dead: 0,
          came: 'fresh fresh',
          noted: 1,
          completed: 1,
          replayed: 0,
        }
      : {
          queued: 3,
          successful: 1,
          dead: 1,
          came: `${old}fresh fresh`,
          noted: 4,
          completed: 4,
          replayed: 1,
        };
  const [found, wanted] = [actual, expected].map((each) => JSON.stringify(each));
  const wrong = found === wanted ? [] : [`${schema} of version ${version} gives ${found}`];
  return {
    accepted: version === 0 ? 0 : HELD.length,
    queued,
    delivered: successful,
    dead,
    lost,
    wrong,
  };
}

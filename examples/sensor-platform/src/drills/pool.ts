import type { Drill } from '@holdfast/drill';
import pg from 'pg';
import type { Platform } from './platform.ts';
import { moreAccepted, recovered, steadyState, withTraffic } from './steady-state.ts';

const POOL = 10;

/** A real lock of PostgreSQL takes them, held by a client of the drill's own. */
export const pool: Drill<Platform> = {
  name: 'pool',
  promise: 'with all ten connections taken, sensor-service says so after 5 s and lives.',
  async script(run, platform) {
    await steadyState(run, platform);
    const before = await platform.pid('sensor-service');

    // Few enough that all of them fit into the gateway while each waits for 5 s.
    const traffic = await withTraffic(run, platform, 10);

    run.say('Lock the table that every test is written to');
    const client = await connect(platform.databaseUrl('sensor-postgres'));
    const endLock = run.hold(
      'psql -c "BEGIN; LOCK TABLE tests IN ACCESS EXCLUSIVE MODE"',
      'the lock on the table tests',
      () => client.end(),
    );
    await client.query('BEGIN; LOCK TABLE tests IN ACCESS EXCLUSIVE MODE');
    await run.waitUntil(`All ${POOL} connections wait for the lock.`, async () => {
      // Not pg_stat_activity: within a transaction that shows the same moment for ever.
      const { rows } = await client.query(
        "SELECT DISTINCT pid FROM pg_locks WHERE relation = 'tests'::regclass AND NOT granted",
      );
      return rows.length >= POOL || `${rows.length} wait`;
    });

    run.say('One more test, for which there is no connection left');
    const test = await run.submit(platform.sensorTest);
    run.check(
      'Graceful degradation: a clear answer, after waiting for a connection.',
      test.status === 503 && test.json.error === 'Database unavailable',
      test.text,
    );
    const login = await run.request(platform.login);
    run.check('Everything else goes on.', login.status === 200, login.text);

    await endLock();
    await recovered(run, platform);
    await moreAccepted(run, traffic, 10);
    await traffic.stop();
    const after = await platform.pid('sensor-service');
    run.check('sensor-service lived all the time.', after === before, { before, after });
  },
};

async function connect(connectionString: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString });
  // Should the database die under it, the drill's own steps tell more than a crash of this client.
  client.on('error', () => {});
  await client.connect();
  return client;
}

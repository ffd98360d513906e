import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { systemClock } from '@holdfast/core';
import { createLogger } from '@holdfast/telemetry/log';
import { type PostgresServer, postgresServer, suiteWith, until } from '@holdfast/test-servers';
import pg from 'pg';
import { ComponentSettings } from '../components/component-settings.ts';
import { postgresConfiguration } from '../configuration/postgres-configuration.ts';
import { postgresState } from '../state/postgres-state.ts';

const log = createLogger({ write: () => {} });
const gone = new Error('the attempt is over');

await suiteWith('calls of PostgreSQL that are over', postgresServer, suite);

function suite(server: PostgresServer): void {
  describe('a call of PostgreSQL that nobody waits for any more', () => {
    test('ends at once where a lock is in its way, and is not done later', async (t) => {
      const { admin, configuration, state } = await begin(t, server, 4);
      await state.write([set('held'), set('other')], true);
      await admin.query('BEGIN');
      await admin.query('LOCK TABLE kept, settings IN ACCESS EXCLUSIVE MODE');
      const giveUp = new AbortController();
      const calls = [
        state.write([set('held', '2')], false, giveUp.signal),
        state.write([set('other', '2'), set('new')], true, giveUp.signal),
        state.get('held', giveUp.signal),
        configuration.get(['a'], giveUp.signal),
      ];
      const said = Promise.all(calls.map((one) => one.catch((error: unknown) => error)));
      await until('all wait for the lock', async () => (await waiting(server)) === calls.length);
      giveUp.abort(gone);
      assert.deepEqual(await said, [gone, gone, gone, gone]);

      // While the lock is held: the server was told, and not only left.
      await until('none waits any more', async () => (await waiting(server)) === 0);
      await admin.query('COMMIT');
      const values = await Promise.all(['held', 'other', 'new'].map((key) => state.get(key)));
      assert.deepEqual(
        values.map((one) => one?.value),
        ['1', '1', undefined],
      );
    });

    test('leaves the only connection to others, also one that it got too late', async (t) => {
      const { admin, state } = await begin(t, server, 1);
      await state.write([set('k')], false);
      await admin.query('BEGIN');
      await admin.query('LOCK TABLE kept IN ACCESS EXCLUSIVE MODE');
      const [first, second] = [new AbortController(), new AbortController()];
      const blocked = state.get('k', first.signal).catch((error: unknown) => error);
      const queued = state.get('k', second.signal).catch((error: unknown) => error);
      await until('one waits for the lock', async () => (await waiting(server)) === 1);
      second.abort(gone);
      assert.equal(await queued, gone);
      first.abort(gone);
      assert.equal(await blocked, gone);
      await admin.query('COMMIT');
      assert.equal((await state.get('k'))?.value, '1');
      await assert.rejects(state.get('k', AbortSignal.abort(gone)), gone);
    });

    test('has no effect on one that ended before', async (t) => {
      const { state } = await begin(t, server, 1);
      const signal = new AbortController();
      await state.write([set('k', '3')], false, signal.signal);
      assert.equal((await state.get('k', signal.signal))?.value, '3');
      signal.abort(gone);
      assert.equal((await state.get('k'))?.value, '3');
    });
  });
}

const set = (key: string, value = '1') => ({ kind: 'set', key, value, firstWrite: false }) as const;

async function waiting({ url }: PostgresServer): Promise<number> {
  const client = new pg.Client(url);
  await client.connect();
  const { rows } = await client.query(
    "SELECT count(*)::int AS n FROM pg_stat_activity WHERE wait_event_type = 'Lock'",
  );
  await client.end();
  return rows[0].n;
}

/** A store over `kept` and a configuration over `settings`; `admin` is a connection beside them. */
async function begin(t: TestContext, server: PostgresServer, most: number) {
  const admin = new pg.Client(server.url);
  await admin.connect();
  t.after(() => admin.end());
  await admin.query(
    'CREATE TABLE IF NOT EXISTS settings (key text, value text, version text, metadata json)',
  );
  const settings = (table: string, name: string) =>
    new ComponentSettings('s', [
      // Not by the metadata, where Dapr takes 1 for a number that nobody gave.
      ['connectionString', `${server.url}?pool_max_conns=${most}`],
      // Longer than any of these tests: what ends is ended by the signal.
      ['timeout', '60s'],
      [name, table],
    ]);
  const state = await postgresState(
    settings('kept', 'tableName'),
    { clock: systemClock, log },
    'v1',
  );
  const configuration = await postgresConfiguration(settings('settings', 'table'), {
    clock: systemClock,
    log,
  });
  t.after(() => Promise.all([state.close(), configuration.close()]));
  return { admin, state, configuration };
}

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type PostgresServer, postgresServer, suiteWith, until } from '@holdfast/test-servers';
import pg from 'pg';
import { bothMakes, type Make } from '../makes/both-makes.ts';
import { componentYaml } from '../makes/component-yaml.ts';
import { type Flagged, startFlagged } from '../makes/flagged.ts';

await suiteWith('conflicts in PostgreSQL', postgresServer, async (server) => {
  await bothMakes((make, executable) => conflicts(make, executable, server));
});

/** daprd tells its client of them, who may ask again; ours does so itself, for nothing has been done. */
function conflicts(make: Make, executable: string | undefined, server: PostgresServer): void {
  describe(`${make}, transactions that PostgreSQL undoes for the sake of others`, () => {
    let sidecar: Flagged;
    let admin: pg.Client;
    before(async () => {
      admin = new pg.Client(server.url);
      await admin.connect();
      // Read by connections that are made from now on.
      await admin.query(
        "ALTER DATABASE postgres SET default_transaction_isolation = 'repeatable read'",
      );
      await admin.query("ALTER SYSTEM SET deadlock_timeout = '10ms'");
      await admin.query('SELECT pg_reload_conf()');
      const connectionString = `${server.url}?sslmode=disable`;
      const places = { tableName: `${make}_state`, metadataTableName: `${make}_metadata` };
      sidecar = await startFlagged(executable, {
        flags: {},
        resources: {
          'store.yaml': componentYaml('store', 'state.postgresql', { connectionString, ...places }),
        },
      });
    });
    after(async () => {
      await sidecar?.stop();
      await admin?.end();
    });

    const transact = async (value: string, ...keys: readonly string[]) => {
      const url = `http://127.0.0.1:${sidecar.ports.http}/v1.0/state/store/transaction`;
      const operations = keys.map((key) => ({ operation: 'upsert', request: { key, value } }));
      const answer = await fetch(url, { method: 'POST', body: JSON.stringify({ operations }) });
      return [answer.status, await answer.text()] as const;
    };
    const stored = async (key: string) => {
      const url = `http://127.0.0.1:${sidecar.ports.http}/v1.0/state/store/${key}`;
      return await (await fetch(url)).text();
    };

    test('a key that another has written since the transaction began (40001)', async () => {
      assert.deepEqual(await transact('before', 'a', 'b'), [204, '']);
      await admin.query('BEGIN');
      await admin.query(`UPDATE ${make}_state SET value = '"other"' WHERE key LIKE '%b'`);
      const asked = transact('after', 'a', 'b');
      await until('it waits for the other', async () => {
        const { rows } = await admin.query('SELECT 1 FROM pg_locks WHERE NOT granted');
        return rows.length > 0;
      });
      await admin.query('COMMIT');
      const [status, text] = await asked;
      const values = [await stored('a'), await stored('b')];
      if (make === 'holdfast') {
        assert.deepEqual([status, text, ...values], [204, '', '"after"', '"after"']);
        return;
      }
      assert.equal(status, 500);
      assert.match(text, /ERR_STATE_TRANSACTION.*could not serialize access.*SQLSTATE 40001/);
      assert.deepEqual(values, ['"before"', '"other"']);
    });

    test('two that wait for each other (40P01)', async () => {
      const deadlocks = async () => {
        const { rows } = await admin.query(
          "SELECT deadlocks FROM pg_stat_database WHERE datname = 'postgres'",
        );
        return Number(rows[0].deadlocks);
      };
      const before = await deadlocks();
      const keys = Array.from({ length: 20 }, (_, n) => `k${n}`);
      const failed: string[] = [];
      await until('there is a deadlock', async () => {
        const both = [transact('one', ...keys), transact('other', ...keys.toReversed())];
        for (const [status, text] of await Promise.all(both)) {
          if (status !== 204) failed.push(text);
        }
        return (await deadlocks()) > before || failed.some((text) => text.includes('40P01'));
      });
      const all = new Set(await Promise.all(keys.map(stored)));
      assert.equal(all.size, 1, 'of two transactions one was last, whole');
      if (make === 'holdfast') assert.deepEqual(failed, []);
      else for (const text of failed) assert.match(text, /deadlock detected|could not serialize/);
    });
  });
}

import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { until } from '@holdfast/test-servers';
import { bothMakes, type Make } from '../makes/both-makes.ts';
import { startFlagged } from '../makes/flagged.ts';
import { startNamed } from '../makes/start-named.ts';

/** Lines of `configuration`, and what is said of them; daprd starts all the same, and finds nobody. */
const REFUSED: readonly (readonly [configuration: string, words: string])[] = [
  ['{}', 'missing connection string'],
  ['{ connectionString: "" }', 'missing connection string'],
  ['{ connectionString: $F, timeout: 999ms }', "invalid value for 'timeout'"],
  ['{ connectionString: $F, timeout: "" }', "invalid value for 'timeout'"],
  ['{ connectionString: $F, timeoutInSeconds: 5 }', 'at least 1s greater than timeout'],
  ['{ connectionString: $F, timeout: 4500ms }', 'at least 1s greater than timeout'],
  ['{ connectionString: $F, updateInterval: 1s }', 'at least 1s greater than timeout'],
  ['{ connectionString: $F, updateInterval: "" }', 'at least 1s greater than timeout'],
  ['{ connectionString: $F, updateInterval: 5500ms }', 'must not contain fractions of seconds'],
  ['{ connectionString: $F, tableName: "a-b" }', 'invalid identifier for table name: a-b'],
  ['{ connectionString: $F, tableName: "" }', 'invalid identifier for table name: '],
  [
    '{ connectionString: $F, metadataTableName: "a b" }',
    'invalid identifier for metadata table name: a b',
  ],
  ['{ connectionString: "$F?_pragma=journal_mode(OFF)" }', "'_pragma=journal_mode'"],
  ['{ connectionString: "file:$F?mode=ro" }', 'unable to open database file'],
  ['{ connectionString: $F, updateInterval: often }', 'often'],
  ['{ connectionString: $F, cleanupInterval: often }', 'often'],
  ['{ connectionString: $F, busyTimeout: often }', 'often'],
];

await bothMakes(conformance, 'nameresolution/sqlite');

function conformance(make: Make, executable: string | undefined): void {
  const fileFor = async (t: TestContext) => {
    const folder = await mkdtemp(path.join(os.tmpdir(), 'holdfast-names-'));
    t.after(() => rm(folder, { recursive: true, force: true }));
    return path.join(folder, 'names.db');
  };
  const named = (t: TestContext, configuration: string) =>
    startNamed(t, executable, `{ component: sqlite, configuration: ${configuration} }`);
  const look = (file: string, sql: string) => {
    const database = new DatabaseSync(file, { readOnly: true, timeout: 2_000 });
    const rows = database.prepare(sql).all();
    database.close();
    return rows;
  };
  const rowsOf = (file: string, table: string) =>
    look(file, `SELECT app_id AS app FROM ${table}`).map(({ app }) => app);

  describe(`${make}, nameresolution.sqlite`, () => {
    for (const [configuration, words] of REFUSED) {
      test(`refuses ${configuration}`, async (t) => {
        const file = await fileFor(t);
        const config = `${file}.yaml`;
        await writeFile(
          config,
          `apiVersion: dapr.io/v1alpha1
kind: Configuration
metadata: { name: named }
spec: { nameResolution: { component: sqlite, configuration: ${configuration.replaceAll('$F', file)} } }
`,
        );
        const sidecar = await startFlagged(executable, { flags: { config }, wait: false });
        t.after(() => sidecar.stop());
        await until(`it says ${words}`, () => sidecar.said().includes(words));
      });
    }

    test('registers in a file in write-ahead mode, in the tables named, in any letter case', async (t) => {
      const file = await fileFor(t);
      await named(t, `{ CONNECTIONSTRING: ${file}, TableName: apps, metadataTableName: about }`);
      assert.deepEqual(rowsOf(file, 'apps'), ['probe']);
      assert.deepEqual(look(file, 'SELECT key FROM about').at(0), {
        __proto__: null,
        key: 'nr-migrations',
      });
      assert.equal(look(file, 'PRAGMA journal_mode')[0]?.journal_mode, 'wal');
    });

    test('leaves the journal as it is on network file systems with disableWAL', async (t) => {
      const file = await fileFor(t);
      await named(t, `{ url: "file:${file}?_pragma=cache_size(-500)", disableWAL: true }`);
      assert.deepEqual(rowsOf(file, 'hosts'), ['probe']);
      assert.equal(look(file, 'PRAGMA journal_mode')[0]?.journal_mode, 'delete');
    });

    for (const [what, busyTimeout, said] of [
      // It was found, and nobody is there.
      ['waits for what another process writes', '3s', /connection refused|connect/],
      ['waits no longer than busyTimeout', '10ms', /database is locked/],
    ] as const) {
      test(what, async (t) => {
        const file = await fileFor(t);
        const settings = `disableWAL: true, busyTimeout: ${busyTimeout}, timeout: 4s, updateInterval: 30s`;
        const sidecar = await named(t, `{ connectionString: ${file}, ${settings} }`);
        const other = new DatabaseSync(file, { timeout: 2_000 });
        t.after(() => other.close());
        other.exec("UPDATE hosts SET app_id = 'elsewhere', address = '127.0.0.1:1'");
        other.exec('BEGIN EXCLUSIVE');
        const url = `http://127.0.0.1:${sidecar.ports.http}/v1.0/invoke/elsewhere/method/x`;
        const asked = fetch(url).then((answer) => answer.text());
        await sleep(700);
        other.exec('COMMIT');
        assert.match(await asked, said);
      });
    }

    test('is alone with a database in memory, and says so', async (t) => {
      const sidecar = await named(t, '{ connectionString: ":memory:" }');
      assert.match(sidecar.said(), /name resolution with an in-memory SQLite database/);
    });
  });
}

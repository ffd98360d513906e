import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { until } from '@holdfast/test-servers';
import { bothMakes, type Make } from '../makes/both-makes.ts';
import { type Mesh, startMesh } from '../makes/mesh.ts';
import { startFailure } from '../makes/one-sidecar.ts';

const TUNED = {
  tableName: 'items',
  timeout: '30s',
  busyTimeout: '5s',
  disableWAL: 'true',
  cleanupInterval: '1s',
};

await bothMakes(conformance, 'state/sqlite');

/** What the metadata of state.sqlite make of its file. */
function conformance(make: Make, executable: string | undefined): void {
  describe(`${make}, the metadata of state.sqlite`, () => {
    const file = path.join(tmpdir(), `holdfast-lite-${process.pid}-${make}.db`);
    let mesh: Mesh;
    before(async () => {
      makeFile(`${file}-frozen`);
      mesh = await startMesh(executable, {
        resources: {
          'lite.yaml': component('lite', file, TUNED),
          'frozen.yaml': component('frozen', `file:${file}-frozen?mode=ro&immutable=1`),
        },
      });
    });
    after(async () => {
      await mesh?.stop();
      for (const end of ['', '-journal', '-wal', '-shm', '-frozen'])
        await rm(`${file}${end}`, { force: true });
    });

    const save = async (item: object) => {
      const answer = await fetch(`http://127.0.0.1:${mesh.port('caller')}/v1.0/state/lite`, {
        ...{ method: 'POST', body: JSON.stringify([item]) },
      });
      return answer.status;
    };
    const at = (key: string) =>
      `http://127.0.0.1:${mesh.port('caller')}/v1.0/state/frozen${key === '' ? '' : `/${key}`}`;
    const rows = (key: string): number => {
      const database = new DatabaseSync(file, { readOnly: true, timeout: 2_000 });
      const found = database.prepare('SELECT 1 FROM items WHERE key = ?').all(`caller||${key}`);
      database.close();
      return found.length;
    };

    test('disableWAL leaves the journal as it is on network file systems', async () => {
      assert.equal(await save({ key: 'a', value: 1 }), 204);
      const database = new DatabaseSync(file, { readOnly: true });
      const mode = database.prepare('PRAGMA journal_mode').get();
      database.close();
      assert.equal(mode?.journal_mode, 'delete');
    });

    test("another process's write is waited for", async () => {
      const other = new DatabaseSync(file, { timeout: 2_000 });
      other.exec('BEGIN IMMEDIATE');
      const saved = save({ key: 'b', value: 1 });
      await sleep(700);
      other.exec('COMMIT');
      other.close();
      assert.equal(await saved, 204);
    });

    test('a file that is only for reading is read, and stays as it is', async () => {
      const before = await readFile(`${file}-frozen`);
      assert.equal(await (await fetch(at('k'))).text(), '"kept"');
      for (const [key, init] of [
        ['', { method: 'POST', body: '[{"key":"k","value":1}]' }],
        ['k', { method: 'DELETE' }],
      ] as const) {
        const answer = await fetch(at(key), init);
        assert.equal(answer.status, 500);
        assert.match(await answer.text(), /attempt to write a readonly database/);
      }
      assert.equal(await (await fetch(at('k'))).text(), '"kept"');
      assert.deepEqual(await readFile(`${file}-frozen`), before);
    });

    const failure = async (connection: string, metadata = {}) => {
      const folder = await mkdtemp(path.join(tmpdir(), 'holdfast-lite-'));
      await writeFile(path.join(folder, 'c.yaml'), component('c', connection, metadata));
      const start = { role: 'caller', appPort: undefined, resources: folder, secured: false };
      const said = await startFailure(executable, { ...start, configs: [] });
      await rm(folder, { recursive: true, force: true });
      return said ?? 'it started';
    };
    for (const [what, query, why] of [
      ['a file that is not there and should be', 'mode=rw', /unable to open database file/],
      ['a pragma that the metadata decide', '_pragma=busy_timeout(1)', /'_pragma=busy_timeout'/],
      ['a lock that there is not', '_txlock=now', /_txlock/],
    ] as const) {
      test(`keeps the sidecar from starting: ${what}`, async () => {
        assert.match(await failure(`file:${file}-none?${query}`), why);
      });
    }
    test('keeps the sidecar from starting: a table whose name is none', async () => {
      assert.match(await failure(':memory:', { tableName: 'a$b' }), /a\$b/);
    });

    test('what has expired is deleted every cleanupInterval', async () => {
      await save({ key: 'mortal', value: 1, metadata: { ttlInSeconds: '1' } });
      assert.equal(rows('mortal'), 1);
      await until('it is swept', () => rows('mortal') === 0);
    });
  });
}

/** With Dapr's tables and one item of the caller. */
function makeFile(file: string): void {
  const database = new DatabaseSync(file);
  database.exec(`
CREATE TABLE metadata (key text NOT NULL PRIMARY KEY, value text NOT NULL);
INSERT INTO metadata VALUES ('migrations', '1');
CREATE TABLE state (
  key TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL, is_binary BOOLEAN NOT NULL, etag TEXT NOT NULL,
  expiration_time TIMESTAMP DEFAULT NULL, update_time TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
);
INSERT INTO state (key, value, is_binary, etag) VALUES ('caller||k', '"kept"', 0, 'e');`);
  database.close();
}

function component(
  name: string,
  file: string,
  metadata: Readonly<Record<string, string>> = {},
): string {
  return `
apiVersion: dapr.io/v1alpha1
kind: Component
metadata: { name: ${name} }
spec:
  type: state.sqlite
  version: v1
  metadata:
    - { name: connectionString, value: "${file}" }
${Object.entries(metadata)
  .map(([item, value]) => `    - { name: ${item}, value: "${value}" }`)
  .join('\n')}
scopes: [caller]
`;
}

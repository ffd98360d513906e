import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { until } from '@holdfast/test-servers';
import { bothMakes, type Make } from './both-makes.ts';
import { type Mesh, startMesh } from './mesh.ts';

await bothMakes(conformance, 'state/sqlite');

/** What the metadata of state.sqlite make of its file. */
function conformance(make: Make, executable: string | undefined): void {
  describe(`${make}, the metadata of state.sqlite`, () => {
    const file = path.join(tmpdir(), `holdfast-lite-${process.pid}-${make}.db`);
    let mesh: Mesh;
    before(async () => {
      mesh = await startMesh(executable, { resources: { 'lite.yaml': component(file) } });
    });
    after(async () => {
      await mesh?.stop();
      for (const end of ['', '-journal', '-wal', '-shm'])
        await rm(`${file}${end}`, { force: true });
    });

    const save = async (item: object) => {
      const answer = await fetch(`http://127.0.0.1:${mesh.port('caller')}/v1.0/state/lite`, {
        ...{ method: 'POST', body: JSON.stringify([item]) },
      });
      return answer.status;
    };
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

    test('what has expired is deleted every cleanupInterval', async () => {
      await save({ key: 'mortal', value: 1, metadata: { ttlInSeconds: '1' } });
      assert.equal(rows('mortal'), 1);
      await until('it is swept', () => rows('mortal') === 0);
    });
  });
}

function component(file: string): string {
  return `
apiVersion: dapr.io/v1alpha1
kind: Component
metadata: { name: lite }
spec:
  type: state.sqlite
  version: v1
  metadata:
    - { name: connectionString, value: "${file}" }
    - { name: tableName, value: items }
    - { name: timeout, value: 30s }
    - { name: busyTimeout, value: 5s }
    - { name: disableWAL, value: "true" }
    - { name: cleanupInterval, value: 1s }
scopes: [caller]
`;
}

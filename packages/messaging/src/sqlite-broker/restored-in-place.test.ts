import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import { eventually } from '../testing/eventually.ts';
import { tempDir } from '../testing/temp-dir.ts';
import { sqliteBroker } from './sqlite-broker.ts';

test('a member with nothing in hand overtakes nothing that a backup, put back into the open file, says it has', async (t) => {
  const { acknowledged, arrived, got, publish, putBack, release, take } = await begin(t);
  await publish('held');
  await arrived(1);
  take();
  release('held');
  await acknowledged();

  putBack('tomorrow');
  await arrived(3);

  assert.deepEqual(got, ['held', 'held', 'tomorrow']);
});

test('nor does one that has as many in hand as the backup says, but others', async (t) => {
  const { acknowledged, arrived, got, publish, putBack, release, take, taken } = await begin(t);
  await publish('held');
  await arrived(1);
  take();
  release('held');
  await acknowledged();
  await publish('since');
  await arrived(2);

  putBack('tomorrow');
  await taken('tomorrow');
  release('since');
  await arrived(4);

  assert.deepEqual(got, ['held', 'since', 'held', 'tomorrow']);
});

/** A member whose handler keeps each of `held` and `since` until it is released. */
async function begin(t: TestContext) {
  const gates = new Map(['held', 'since'].map((id) => [id, Promise.withResolvers<void>()]));
  const release = (id: string) => gates.get(id)?.resolve();
  // First of all: a broker waits for what is in hand when it is closed.
  t.after(() => {
    for (const id of gates.keys()) release(id);
  });
  const path = join(await tempDir(t), 'broker.db');
  const broker = sqliteBroker({ path });
  t.after(() => broker.close());
  const file = new DatabaseSync(path, { timeout: 5_000 });
  t.after(() => file.close());
  const got: string[] = [];
  await broker.subscribe('orders', { group: 'g' }, async ({ id }) => {
    got.push(id);
    await gates.get(id)?.promise;
  });
  return {
    got,
    release,
    publish: (id: string) =>
      broker.publish([{ id, topic: 'orders', key: 'k', body: Buffer.from(id), headers: {} }]),
    arrived: (count: number) =>
      eventually(
        () => got.length,
        (length) => length >= count,
        `${count} arrive`,
      ),
    acknowledged: () =>
      eventually(
        () => file.prepare('SELECT 1 FROM delivery').get(),
        (row) => row === undefined,
        'all is acknowledged',
      ),
    take: () =>
      file.exec(`CREATE TABLE kept_message AS SELECT * FROM message;
        CREATE TABLE kept_delivery AS SELECT * FROM delivery`),
    taken: (id: string) =>
      eventually(
        () =>
          file.prepare('SELECT owner FROM delivery JOIN message USING (seq) WHERE id = ?').get(id),
        (row) => row?.owner !== null,
        `${id} is taken`,
      ),
    /** With one more message behind it; all at once, as SQLite's own restoration is. */
    putBack: (id: string) =>
      file.exec(`BEGIN IMMEDIATE;
        DELETE FROM delivery; DELETE FROM message;
        INSERT INTO message SELECT * FROM kept_message;
        INSERT INTO delivery (group_id, seq, owner, due_ms, deliveries)
          SELECT group_id, seq, owner, unixepoch() * 1000 + 5000, deliveries FROM kept_delivery;
        INSERT INTO message (id, topic, key, headers, body, waiting) VALUES ('${id}', 'orders', 'k', '{}', x'', 1);
        INSERT INTO delivery (group_id, seq) SELECT group_id, last_insert_rowid() FROM kept_delivery;
        COMMIT`),
  };
}

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { tempDir } from '../testing/temp-dir.ts';
import { sqliteStore } from './sqlite-store.ts';
import { prepareStatements } from './statements.ts';

const ROOMY = { maxMessages: 100_000, maxBytes: 100_000_000 };

test('the indexes of topics are made when topics are first named, and what they are for does not scan the heap', async (t) => {
  const path = join(await tempDir(t), 'jobs.db');
  const store = sqliteStore({ path });
  const message = { id: 'a', topic: 't', key: undefined, body: Buffer.from('x'), headers: {} };
  await store.append([[message]], ROOMY);
  await store.release(await store.lease(1, 1_000), { delayMs: 0 });
  const database = new DatabaseSync(path);
  t.after(async () => {
    database.close();
    await store.close();
  });
  const indexes = () =>
    database.prepare("SELECT name FROM sqlite_schema WHERE name LIKE 'message_topic%'").all();
  const before = indexes().length;

  const leases = await store.lease(1, 1_000, ['t', 't']);

  assert.deepEqual([before, indexes().length, leases.length], [0, 2, 1]);
  const { anythingOf, dueOf, urgentOf, awake } = prepareStatements(database);
  for (const statement of [anythingOf, dueOf, urgentOf, awake]) {
    const plan = database
      .prepare(`EXPLAIN QUERY PLAN ${statement.sourceSQL}`)
      .all()
      .map(({ detail }) => String(detail));
    const looks = plan.filter((line) => /message_topic/.test(line));
    assert.ok(looks.length > 0, plan.join('\n'));
    assert.deepEqual(
      plan.filter((line) => /^SCAN (?:[mf]|message)\b/.test(line)),
      [],
    );
  }
});

test('a file without a job has them made as well, and no topics at all are nobody’s', async (t) => {
  const directory = await tempDir(t);
  for (const name of ['one.db', 'two.db']) {
    const store = sqliteStore({ path: join(directory, name) });
    t.after(() => store.close());
    assert.deepEqual(await store.lease(1, 1_000, ['t']), []);
    assert.deepEqual(await store.lease(1, 1_000, []), []);
  }
});

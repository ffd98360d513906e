import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import { systemClock } from '@holdfast/core';
import { eventually } from '../testing/eventually.ts';
import { tempDir } from '../testing/temp-dir.ts';
import type { SqliteBrokerOptions } from './options.ts';
import { sqliteBroker } from './sqlite-broker.ts';

test('a full file postpones what comes and names the group that lags; acknowledged makes room', async (t) => {
  const held = Promise.withResolvers<void>();
  // First of all: a broker waits for what is in hand when it is closed.
  t.after(() => held.resolve());
  const { broker, path } = await begin(t, { maxMessages: 3 });
  const handled: string[] = [];
  await broker.subscribe('events', { group: 'slow' }, async ({ id }) => {
    await held.promise;
    handled.push(id);
  });
  await broker.publish(['a', 'b'].map((id) => message(id)));

  await assert.rejects(broker.publish(['c', 'd'].map((id) => message(id))), {
    code: 'BROKER_REJECTED',
    taken: new Set(['c']),
    rejected: new Map(),
    postponed: new Map([
      [
        'd',
        'the file holds 3 messages, which is all it may (maxMessages): the group "slow" has not acknowledged 3 of "events"',
      ],
    ]),
  });
  held.resolve();
  await eventually(
    () => countMessages(path),
    (count) => count === 0,
    'what was acknowledged is deleted',
  );
  await broker.publish([message('d')]);
  await eventually(
    () => handled,
    ({ length }) => length === 4,
    'all are handled',
  );
  assert.deepEqual(handled, ['a', 'b', 'c', 'd']);
});

test('a message stays until the last group has acknowledged it', async (t) => {
  const { broker, path } = await begin(t);
  await broker.subscribe('events', { group: 'one' }, async () => {});
  const away = await broker.subscribe('events', { group: 'two' }, async () => {});
  await away.close();
  await broker.publish([message('a')]);
  await eventually(
    () => waitingOf(path),
    (waiting) => waiting === 1,
    'one of two has acknowledged it',
  );
  assert.equal(countMessages(path), 1);

  await broker.subscribe('events', { group: 'two' }, async () => {});
  await eventually(
    () => countMessages(path),
    (count) => count === 0,
    'it is gone',
  );
});

test('a message whose time is over reaches nobody and leaves the file', async (t) => {
  const lifetimeMs = ({ id }: { readonly id: string }) => (id === 'short' ? 1 : undefined);
  const { broker, path } = await begin(t, { lifetimeMs });
  const first = await broker.subscribe('events', { group: 'g' }, async () => {});
  await first.close();
  await broker.publish([message('short')]);
  await eventually(
    async () => {
      await broker.publish([message('long')]);
      return shortOnes(path);
    },
    (count) => count === 0,
    'the next publication sweeps it out',
  );

  const got = new Set<string>();
  await broker.subscribe('events', { group: 'g' }, async ({ id }) => void got.add(id));
  await eventually(
    () => countMessages(path),
    (count) => count === 0,
    'all is handled',
  );
  assert.deepEqual([...got], ['long']);
});

test('a group that nobody has been in for long is forgotten, with what waits for it', async (t) => {
  let aheadMs = 0;
  const clock = { ...systemClock, wallMs: () => systemClock.wallMs() + aheadMs };
  const { broker, path } = await begin(t, { clock, forgetGroupsAfterMs: 60_000 });
  const leaving = await broker.subscribe('events', { group: 'gone' }, async () => {});
  await leaving.close();
  await broker.publish([message('a')]);
  const before = countMessages(path);
  aheadMs = 120_000;
  await broker.subscribe('events', { group: 'here' }, async () => {});
  await eventually(
    () => countMessages(path),
    (count) => count === 0,
    'what waited for it is gone',
  );
  const groups = ask(path, 'SELECT count(*) AS n FROM member_group');
  assert.deepEqual([before, groups], [1, 1]);
});

test('a topic without a group: postponed, or dropped where that was asked for', async (t) => {
  const { broker, path } = await begin(t);
  await assert.rejects(broker.publish([message('a')]), {
    postponed: new Map([['a', 'nobody has subscribed to "events" yet']]),
  });
  const careless = sqliteBroker({ path, requireSubscriber: false });
  t.after(() => careless.close());
  await careless.publish([message('a')]);
  assert.equal(countMessages(path), 0);
});

test('another member goes on counting deliveries', async (t) => {
  const { broker, path } = await begin(t);
  const seen: number[] = [];
  const options = { group: 'g', redeliverMs: 60_000, maxRedeliverMs: 60_000 };
  const first = await broker.subscribe('events', options, async ({ delivery }) => {
    seen.push(delivery);
    throw new Error('never');
  });
  await broker.publish([message('a')]);
  await eventually(
    () => seen.length,
    (count) => count === 1,
    'it is tried',
  );
  await first.close();
  const other = sqliteBroker({ path });
  t.after(() => other.close());
  await other.subscribe('events', options, async ({ delivery }) => void seen.push(delivery));
  await eventually(
    () => seen.length,
    (count) => count === 2,
    'another has it',
  );
  assert.deepEqual(seen, [1, 2]);
});

test('a file that cannot be used is refused by name, with what to do', async (t) => {
  const folder = await tempDir(t);
  const other = join(folder, 'other.db');
  const database = new DatabaseSync(other);
  database.exec('CREATE TABLE theirs (x)');
  database.close();
  const noise = join(folder, 'noise.db');
  await writeFile(noise, 'this is no database, however long one reads on '.repeat(100));

  const words = async (path: string) => {
    const broker = sqliteBroker({ path, timeoutMs: 100 });
    t.after(() => broker.close());
    return await broker.open().then(
      () => 'opened',
      ({ code, message: text }) => `${code} ${text.replaceAll(folder, '')}`,
    );
  };
  assert.deepEqual(
    [await words(other), await words(noise), await words(join(folder, 'nowhere', 'x.db'))],
    [
      'BROKER_UNAVAILABLE The broker in /other.db cannot be used: /other.db is the database of another application. Give the broker a file of its own.',
      'BROKER_UNAVAILABLE The broker in /noise.db cannot be used: /noise.db is not an SQLite database, or its header is damaged. Move it away, or restore it from a backup.',
      'BROKER_UNAVAILABLE The broker in /nowhere/x.db cannot be used: /nowhere/x.db cannot be opened. Check that its directory exists and that this user may write there.',
    ],
  );
});

test('options that cannot work are refused by name', () => {
  assert.throws(() => sqliteBroker({ path: '' }), {
    message: 'sqliteBroker.path must name a file that processes can share, not "".',
  });
  assert.throws(() => sqliteBroker({ path: 'x', maxMessages: 0 }), {
    message: 'sqliteBroker.maxMessages must be a whole number from 1 to 10000000, not 0.',
  });
  assert.throws(() => sqliteBroker({ path: 'x', leaseMs: 5 }), {
    message: 'sqliteBroker.leaseMs must be a whole number from 1000 to 600000, not 5.',
  });
});

async function begin(t: TestContext, options: Partial<SqliteBrokerOptions> = {}) {
  const path = join(await tempDir(t), 'broker.db');
  const broker = sqliteBroker({ path, ...options });
  t.after(() => broker.close());
  await broker.open();
  return { broker, path };
}

const countMessages = (path: string) => ask(path, 'SELECT count(*) AS n FROM message');
const waitingOf = (path: string) => ask(path, 'SELECT sum(waiting) AS n FROM message');
const shortOnes = (path: string) =>
  ask(path, "SELECT count(*) AS n FROM message WHERE id = 'short'");

function ask(path: string, sql: string): number {
  const database = new DatabaseSync(path, { readOnly: true, timeout: 5_000 });
  try {
    return Number(database.prepare(sql).get()?.n);
  } finally {
    database.close();
  }
}

function message(id: string) {
  return { id, topic: 'events', key: undefined, body: Buffer.from(id), headers: {} };
}

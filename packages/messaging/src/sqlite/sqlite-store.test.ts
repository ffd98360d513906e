import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { VirtualClock } from '@holdfast/core/testing';
import type { Message } from '../message.ts';
import { storeContract } from '../testing/contracts/store-contract.ts';
import { tempDir } from '../testing/temp-dir.ts';
import { sqliteStore } from './sqlite-store.ts';

const ROOMY = { maxMessages: 1_000_000, maxBytes: 1_000_000_000 };

storeContract('sqliteStore', async (t) => {
  const clock = new VirtualClock();
  const path = join(await tempDir(t), 'outbox.db');
  const store = sqliteStore({ path, clock });
  t.after(() => store.close());
  return {
    store,
    elapse: (ms) => clock.advance(ms),
    async reopen() {
      await store.close();
      const reopened = sqliteStore({ path, clock });
      t.after(() => reopened.close());
      return reopened;
    },
  };
});

test('two processes on one file share the work and never a message', async (t) => {
  const path = join(await tempDir(t), 'outbox.db');
  const [one, two] = [sqliteStore({ path }), sqliteStore({ path })];
  t.after(() => Promise.all([one.close(), two.close()]));
  await one.append([Array.from({ length: 10 }, (_, n) => message(`m${n}`))], ROOMY);

  const leased = await Promise.all([one.lease(6, 5_000), two.lease(6, 5_000)]);
  const ids = leased.flat().map((lease) => lease.message.id);

  assert.deepEqual(
    ids.toSorted(),
    Array.from({ length: 10 }, (_, n) => `m${n}`),
  );
});

test('a lease from before the wall clock was set back an hour does not hide its message for an hour', async (t) => {
  const clock = new VirtualClock();
  await clock.advance(7_200_000);
  const store = sqliteStore({ path: join(await tempDir(t), 'outbox.db'), clock });
  t.after(() => store.close());
  await store.append([[message('a')]], ROOMY);
  await store.lease(1, 5_000);

  clock.jumpWall(-3_600_000);
  const [lease] = await store.lease(1, 5_000);

  assert.deepEqual([lease?.message.id, lease?.delivery], ['a', 2]);
});

test('only as many delivered ids are remembered as it was told to', async (t) => {
  const store = sqliteStore({ path: join(await tempDir(t), 'outbox.db'), rememberDelivered: 0 });
  t.after(() => store.close());
  await store.append([[message('a')]], ROOMY);
  await store.complete(await store.lease(1, 5_000));

  const again = await store.append([[message('a')]], ROOMY);

  assert.deepEqual(again, [{ kind: 'kept', duplicates: [false] }]);
  assert.equal((await store.stats()).successful, 1);
});

test('options that cannot work are refused, naming the culprit', () => {
  assert.throws(() => sqliteStore({ path: '' }), {
    name: 'TypeError',
    message: 'sqliteStore.path must name a file, not be empty.',
  });
  assert.throws(() => sqliteStore({ path: 'x', rememberDelivered: -1 }), {
    name: 'RangeError',
    message: 'sqliteStore.rememberDelivered must be a whole number from 0 to 10000000, not -1.',
  });
});

function message(id: string): Message {
  return { id, topic: 'events', key: undefined, body: Buffer.from(id), headers: {} };
}

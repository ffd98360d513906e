import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { openEventStore } from './event-store.ts';
import { sinkApp } from './sink-app.ts';

const event = (id: string) => ({
  id,
  test_id: `test-${id}`,
  type: 'a',
  at: '2026-01-01T00:00:00Z',
});

test('an event that came twice is there once, and says so', async (t) => {
  const store = await openStore(t);
  await Promise.all([store.record(event('1')), store.record(event('2'))]);
  await store.record(event('1'));

  assert.deepEqual(store.page(0, 10), {
    events: [
      { ...event('1'), delivery: 2 },
      { ...event('2'), delivery: 1 },
    ],
    next: 2,
  });
});

test('its pages follow each other by cursor until nothing is left, and go on from there', async (t) => {
  const store = await openStore(t);
  await Promise.all(['1', '2', '3'].map((id) => store.record(event(id))));
  const app = sinkApp({ store, broker: async () => {} });
  const page = async (query: string) => {
    const { events, next } = (await app.inject(`/events/delivered?${query}`)).json();
    return [events.map(({ id }: { id: string }) => id), next];
  };

  assert.deepEqual(
    [await page('limit=2'), await page('after=2&limit=2'), await page('after=3'), await page('')],
    [
      [['1', '2'], 2],
      [['3'], 3],
      [[], 3],
      [['1', '2', '3'], 3],
    ],
  );
});

test('a cursor that is no number is told so', async (t) => {
  const app = sinkApp({ store: await openStore(t), broker: async () => {} });
  const statuses = await Promise.all(
    ['after=x', 'after=-1', 'limit=1.5', 'limit=999999'].map(async (query) => {
      const answer = await app.inject(`/events/delivered?${query}`);
      return answer.statusCode;
    }),
  );

  assert.deepEqual(statuses, [400, 400, 400, 200]);
});

async function openStore(t: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), 'event-store-test-'));
  const store = openEventStore(join(folder, 'events.db'));
  t.after(async () => {
    store.close();
    await rm(folder, { recursive: true });
  });
  return store;
}

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cache, type Degraded, fallback, pipeline } from '@holdfast/core';
import { VirtualClock } from '@holdfast/core/testing';

/** What a dependency has, in a test; it can be taken away. */
const remote = { runs: 0, isDown: false };
const clock = new VirtualClock();

async function fetchRemote(key: string): Promise<{ status: string }> {
  remote.runs += 1;
  await clock.sleep(10);
  if (remote.isDown) throw new Error('503');
  return { status: `${key} as of run ${remote.runs}` };
}

const data = pipeline(
  'data',
  [
    fallback({ steps: [{ kind: 'default', answer: () => ({ status: 'unavailable' }) }] }),
    cache({ maxEntries: 1024, ttlMs: 0, staleIfErrorMs: 300_000 }), // asks each time; 5 min for what fails
  ],
  { clock, registry: undefined },
);

const getData = (key: string, onDegraded: (how: Degraded) => void) =>
  data.execute(() => fetchRemote(key), { cacheKey: key, onDegraded });

test('the README’s example gives what came last for five minutes, then a default, and says so', async () => {
  const seen: unknown[] = [];
  const get = async (key: string) => {
    let how = 'its own';
    const said = await clock.run(() => getData(key, ({ kind }) => (how = kind)));
    seen.push(`${said.status}, ${how}`);
  };
  await get('a');
  await get('a');
  remote.isDown = true;
  await get('a');
  await get('b');
  await clock.advance(299_000);
  await get('a');
  await clock.advance(1_000);
  await get('a');
  remote.isDown = false;
  await get('a');
  assert.deepEqual(seen, [
    'a as of run 1, its own',
    'a as of run 2, its own',
    'a as of run 2, cached',
    'unavailable, default',
    'a as of run 2, cached',
    'unavailable, default',
    'a as of run 7, its own',
  ]);
});

test('the README’s example keeps 1,024 answers, those asked for last', async () => {
  remote.isDown = false;
  await clock.run(async () => {
    for (let n = 0; n < 2_000; n += 1) await getData(`key ${n}`, () => {});
  });
  remote.isDown = true;
  const of = (n: number) => clock.run(() => getData(`key ${n}`, () => {}));
  assert.deepEqual(
    [data.inspect().policies[1]?.cache?.entries, (await of(975)).status, (await of(976)).status],
    [1_024, 'unavailable', 'key 976 as of run 984'],
  );
});

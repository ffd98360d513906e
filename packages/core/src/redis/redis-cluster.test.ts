import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { redisCluster, withServer } from '@holdfast/test-servers';
import { Cluster } from 'ioredis';
import { cache } from '../cache/cache.ts';
import { pipeline } from '../pipeline.ts';
import { redisCacheStore } from './redis-cache-store.ts';

describe('a cache store in a cluster of Redis', () => {
  test('keeps and forgets answers wherever they are, and clears all masters', async (t) => {
    const cluster = await start(t);
    if (cluster === undefined) return;
    const { client, sizes, store } = cluster;
    // The first thing that this client is asked: it has not met its cluster yet.
    await store.clear?.('p/cache:');
    const put = (key: string) => store.set(key, key, 60_000);
    await Promise.all(Array.from({ length: 3_000 }, (_, n) => put(`p/cache:${n}`)));
    await put('q/cache:0');
    await client.set('p/cache:foreign', 'not ours');
    const before = await sizes();
    assert.ok(Math.min(...before) > 500, `the masters have ${before.join(', ')} keys`);
    await store.delete('p/cache:7');
    assert.deepEqual(
      [await store.get('p/cache:7'), (await store.get('p/cache:8'))?.value],
      [undefined, 'p/cache:8'],
    );
    await store.clear?.('p/cache:');
    const left = (await sizes()).reduce((sum, size) => sum + size, 0);
    assert.deepEqual([left, (await store.get('q/cache:0'))?.value], [2, 'q/cache:0']);
  });

  test('is asked anew for each key after invalidateAll', async (t) => {
    const cluster = await start(t);
    if (cluster === undefined) return;
    const policies = [cache({ store: cluster.store, ttlMs: 60_000 })];
    const p = pipeline('prices', policies, { registry: undefined });
    let asked = 0;
    const all = () =>
      Promise.all(
        Array.from({ length: 50 }, (_, n) =>
          p.execute(() => (asked += 1), { cacheKey: String(n) }),
        ),
      );
    await all();
    await all();
    const once = asked;
    await p.invalidateAll();
    await all();
    assert.deepEqual([once, asked], [50, 100]);
  });

  test('fails to clear, rather than clearing a part, where a master is away', async (t) => {
    const cluster = await start(t);
    if (cluster === undefined) return;
    await cluster.store.set('p/cache:0', 0, 60_000);
    await cluster.nodes[1]!.process.kill();
    await assert.rejects(async () => cluster.store.clear?.('p/cache:'));
  });
});

test('a cluster whose client does not know all masters is not cleared in part', async (t) => {
  const cluster = await start(t);
  if (cluster === undefined) return;
  const { client, store } = cluster;
  await store.set('p/cache:0', 0, 60_000);
  // As in the moment after a failover.
  const knowing = (count: number) =>
    redisCacheStore({
      eval: (...args) => client.eval(...args),
      nodes: (role) => client.nodes(role).slice(0, count),
    });
  await assert.rejects(async () => knowing(2).clear?.('p/cache:'), {
    message:
      "redisCacheStore.clear would leave answers: its client knows 2 of the cluster's 3 masters. Try again later.",
  });
  await knowing(3).clear?.('p/cache:');
  assert.equal(await store.get('p/cache:0'), undefined);
});

async function start(t: TestContext) {
  const server = await withServer(t, redisCluster);
  if (server === undefined) return undefined;
  const addresses = server.nodes.map(({ port }) => ({ host: '127.0.0.1', port }));
  const client = new Cluster(addresses, {
    clusterRetryStrategy: () => 100,
    redisOptions: { maxRetriesPerRequest: 1 },
  });
  client.on('error', () => {
    // What matters of it is how the store rejects.
  });
  t.after(() => client.disconnect());
  const sizes = () => Promise.all(client.nodes('master').map((node) => node.dbsize()));
  return { client, nodes: server.nodes, sizes, store: redisCacheStore(client) };
}

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type RedisServer, redisServer, suiteWith } from '@holdfast/test-servers';
import { Redis } from 'ioredis';
import { REDIS_STATE, redisComponents } from '../cases/redis-state.ts';
import { item } from '../cases/state.ts';
import { bothMakes, type Make } from '../makes/both-makes.ts';
import { type Mesh, startMesh } from '../makes/mesh.ts';
import { playSteps } from '../makes/play-steps.ts';

await suiteWith('state.redis', redisServer, async (server) => {
  await bothMakes((make, executable) => conformance(make, executable, server));
});

/** Saves through the sidecar; the Redis behind it is looked at then. */
const save = async (mesh: Mesh, body: object) => {
  const url = `http://127.0.0.1:${mesh.port('caller')}/v1.0/state/redis`;
  const saved = await fetch(url, { method: 'POST', body: JSON.stringify(body) });
  assert.equal(saved.status, 204);
};

function conformance(make: Make, executable: string | undefined, { port }: RedisServer): void {
  describe(`${make}, state.redis`, () => {
    let mesh: Mesh;
    let client: Redis;
    before(async () => {
      client = new Redis(port, '127.0.0.1');
      // What one make has kept is not to be in the way of the other.
      await client.flushall();
      mesh = await startMesh(executable, { resources: { 'redis.yaml': redisComponents(port) } });
    });
    after(async () => {
      client.disconnect();
      await mesh?.stop();
    });

    for (const [name, steps] of Object.entries(REDIS_STATE)) {
      test(name, () => playSteps(mesh, make, steps, 'redis'));
    }

    test('an item is a hash of data and version, under the prefix', async () => {
      await save(mesh, item('layout', { a: 1 }));
      await save(mesh, item('layout', 'é', { options: { concurrency: 'first-write' }, etag: '1' }));
      assert.deepEqual(await client.hgetall('caller||layout'), {
        data: '"é"',
        version: '2',
        'first-write': '0',
      });
    });

    test('time to live: the request’s, else the component’s, else as it was; none for 0', async () => {
      const seconds: number[] = [];
      for (const [store, metadata] of [
        ['mortal', {}],
        ['mortal', { ttlInSeconds: '50' }],
        ['redis', {}],
        ['redis', { ttlInSeconds: '0' }],
      ] as const) {
        const url = `http://127.0.0.1:${mesh.port('caller')}/v1.0/state/${store}`;
        await fetch(url, { method: 'POST', body: JSON.stringify(item('life', 1, { metadata })) });
        seconds.push(Math.ceil((await client.ttl('caller||life')) / 50) * 50);
      }
      assert.deepEqual(seconds, [1000, 50, 50, -0]);
    });

    test('what the other make wrote is read, and its etag is good for a write', async () => {
      // As both have been seen to write it, above.
      await client.hset('caller||theirs', { data: '{"n":1}', version: '7' });
      const url = `http://127.0.0.1:${mesh.port('caller')}/v1.0/state/redis/theirs`;
      const read = await fetch(url);
      const etag = read.headers.get('etag');
      await save(mesh, item('theirs', { n: 2 }, { etag }));
      assert.deepEqual(
        [await read.json(), etag, await client.hgetall('caller||theirs')],
        [{ n: 1 }, '7', { data: '{"n":2}', version: '8' }],
      );
    });

    test('a text of somebody else is answered as it is', async () => {
      await client.set('caller||text', '"words"');
      const url = `http://127.0.0.1:${mesh.port('caller')}/v1.0/state/redis/text`;
      const answer = await fetch(url);
      assert.deepEqual([answer.status, await answer.json()], [200, 'words']);
    });

    test('the metadata says what it can do', async () => {
      const answer = await fetch(`http://127.0.0.1:${mesh.port('caller')}/v1.0/metadata`);
      const { components } = (await answer.json()) as {
        components: { name: string; type: string; capabilities?: string[] }[];
      };
      const { type, capabilities = [] } = components.find(({ name }) => name === 'redis')!;
      const can = ['ETAG', 'TRANSACTIONAL', 'TTL'].filter((one) => capabilities.includes(one));
      assert.deepEqual([type, can], ['state.redis', ['ETAG', 'TRANSACTIONAL', 'TTL']]);
    });
  });
}

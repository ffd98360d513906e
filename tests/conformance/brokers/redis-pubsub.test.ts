import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  eventually,
  type RedisServer,
  redisServer,
  suiteWith,
  until,
} from '@holdfast/test-servers';
import { Redis } from 'ioredis';
import { bothMakes, type Make } from '../makes/both-makes.ts';
import { type Mesh, startMesh } from '../makes/mesh.ts';
import { event, eventApp } from './event-app.ts';

await suiteWith('pubsub.redis', redisServer, async (server) => {
  await bothMakes((make, executable) => conformance(make, executable, server));
});

/** Both makes write the same entries and read them: they can share a Redis, and the events of a group. */
function conformance(make: Make, executable: string | undefined, redis: RedisServer): void {
  const { port } = redis;
  describe(`${make}, pubsub.redis`, () => {
    const app = eventApp();
    let mesh: Mesh;
    let client: Redis;
    before(async () => {
      // It is in the way of the outage as well.
      client = new Redis(port, '127.0.0.1').on('error', () => {});
      await client.flushall();
      // Published before anybody subscribed.
      await client.xadd('early', '*', 'data', event('early'), 'metadata', '{"mine":"7"}');
      mesh = await startMesh(executable, {
        instead: app.instead,
        resources: { 'redis.yaml': COMPONENT(port) },
      });
      const url = `http://127.0.0.1:${mesh.port('caller')}/v1.0/healthz`;
      await until('it is ready', async () => (await fetch(url)).ok);
    });
    after(async () => {
      client.disconnect();
      await mesh?.stop();
    });

    const publish = async (topic: string, body: string, query = '') => {
      const url = `http://127.0.0.1:${mesh.port('caller')}/v1.0/publish/broker/${topic}${query}`;
      const headers = { 'content-type': 'application/json' };
      const answer = await fetch(url, { method: 'POST', headers, body });
      return [answer.status, await answer.text()] as const;
    };

    test('an entry has data and metadata; the group and its member are the application', async () => {
      assert.deepEqual(await publish('layout', '{"n":1}', '?metadata.mine=7'), [204, '']);
      await app.arrived('layout', 1);
      const [[, fields]] = (await client.xrange('layout', '-', '+')) as [[string, string[]]];
      // Go writes them in any order.
      const { data, metadata } = Object.fromEntries([fields.slice(0, 2), fields.slice(2)]);
      const [group] = (await client.xinfo('GROUPS', 'layout')) as [unknown[]];
      const [member] = (await client.xinfo('CONSUMERS', 'layout', 'caller')) as [unknown[]];
      assert.deepEqual(
        [JSON.parse(data).data, JSON.parse(metadata), fields.length, group[1], member[1]],
        [{ n: 1 }, { mine: '7' }, 4, 'caller', 'caller'],
      );
    });

    test('what the other make wrote arrives, with its metadata as headers, also from before', async () => {
      const [seen] = await app.arrived('early', 1);
      await client.xadd('layout', '*', 'data', event('bare'));
      const bare = (await app.arrived('layout', 2)).at(-1)!;
      assert.deepEqual(
        [JSON.parse(seen!.body).data, seen!.headers.mine, JSON.parse(bare.body).data],
        ['early', '7', 'bare'],
      );
    });

    test('what the application fails over is handed over again when its time is over', async () => {
      await publish('flaky', '1');
      // This daprd acknowledges what the application failed over, and the event is gone (XACK right
      // after the 503, with every processingTimeout). Dapr's documentation promises what we do.
      const wanted = make === 'daprd' ? 1 : 3;
      const attempts = await app.arrived('flaky', wanted);
      const ids = attempts.map(({ body }) => JSON.parse(body).id);
      await settled(client, 'flaky');
      assert.deepEqual([new Set(ids).size, attempts.length], [1, wanted]);
    });

    for (const topic of ['dropped', 'unknown']) {
      test(`${topic}: what nobody will ever want is done with`, async () => {
        await publish(topic, '1');
        await app.arrived(topic, 1);
        await settled(client, topic);
        await sleep(1_500);
        assert.equal((await app.arrived(topic, 1)).length, 1);
      });
    }

    test('many at once: each entry fails by itself where the broker is down', async () => {
      await redis.process.kill();
      await publish('layout', '1');
      const entries = ['a', 'b'].map((entryId) => ({
        entryId,
        event: entryId,
        contentType: 'text/plain',
      }));
      const url = `http://127.0.0.1:${mesh.port('caller')}/v1.0/publish/bulk/broker/layout`;
      const headers = { 'content-type': 'application/json' };
      const answer = await fetch(url, { method: 'POST', headers, body: JSON.stringify(entries) });
      const { errorCode, failedEntries } = (await answer.json()) as {
        errorCode: string;
        failedEntries: readonly { readonly entryId: string; readonly error: string }[];
      };
      await redis.process.restart();
      const error = `redis streams: error from publish: dial tcp 127.0.0.1:${port}: connect: connection refused`;
      assert.deepEqual(
        [answer.status, errorCode, failedEntries.toSorted(byEntryId)],
        [
          500,
          'ERR_PUBSUB_PUBLISH_MESSAGE',
          [
            { entryId: 'a', error },
            { entryId: 'b', error },
          ],
        ],
      );
    });

    test('a broker that is down is said in the same words; back, it goes on', async () => {
      await redis.process.kill();
      // The first may be what finds out that the connection is gone.
      await publish('layout', '1');
      const [status, text] = await publish('layout', '1');
      await redis.process.restart();
      const before = (await app.arrived('layout', 0)).length;
      const [back] = await eventually(
        () => publish('layout', '"back"'),
        ([answer]) => answer === 204,
        'Redis is reached again',
      );
      await app.arrived('layout', before + 1);
      const { errorCode, message } = JSON.parse(text);
      const why = `redis streams: error from publish: dial tcp 127.0.0.1:${port}: connect: connection refused`;
      assert.deepEqual(
        [status, errorCode, message, back],
        [
          500,
          'ERR_PUBSUB_PUBLISH_MESSAGE',
          `error when publishing to topic layout in pubsub broker: ${why}`,
          204,
        ],
      );
    });
  });
}

const byEntryId = (a: { readonly entryId: string }, b: { readonly entryId: string }) =>
  a.entryId.localeCompare(b.entryId);

/** Resolves when the group has nothing in hand. */
async function settled(client: Redis, topic: string): Promise<void> {
  await eventually(
    async () => (await client.xpending(topic, 'caller')) as [number],
    ([pending]) => pending === 0,
    `no event of ${topic} is pending`,
  );
}

/** In the scope of one application only: each would be a group of its own. Numbers, since daprd reads no `200ms` here. */
const COMPONENT = (port: number) => `
apiVersion: dapr.io/v1alpha1
kind: Component
metadata: { name: broker }
spec:
  type: pubsub.redis
  version: v1
  metadata:
    - { name: redisHost, value: "127.0.0.1:${port}" }
    - { name: redisPassword, value: "" }
    - { name: processingTimeout, value: "500" }
    - { name: redeliverInterval, value: "200" }
scopes: [caller]
`;

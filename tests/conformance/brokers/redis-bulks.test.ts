import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type RedisServer, redisServer, suiteWith, until } from '@holdfast/test-servers';
import { Redis } from 'ioredis';
import { type AppMesh, startAppMesh } from '../makes/app-mesh.ts';
import { bothMakes, type Make } from '../makes/both-makes.ts';
import { componentYaml } from '../makes/component-yaml.ts';
import type { Seen } from '../makes/echo-app.ts';

await suiteWith('pubsub.redis and bulks', redisServer, async (server) => {
  await bothMakes((make, executable) => conformance(make, executable, server));
});

/** The component and the subscription of the Java SDK's own tests: a bulk waits longer than an event may be in hand. */
const HASTY = { processingTimeout: '100ms', redeliverInterval: '100ms' };
const BULK = { enabled: true, maxMessagesCount: 100, maxAwaitDurationMs: 1_000 };

function conformance(make: Make, executable: string | undefined, { port }: RedisServer): void {
  describe(`${make}, bulks of pubsub.redis`, () => {
    const topic = `gathered-${make}`;
    const app = gatheringApp(topic);
    let client: Redis;
    let mesh: AppMesh<'caller'>;
    before(async () => {
      client = new Redis(port, '127.0.0.1');
      const metadata = { redisHost: `127.0.0.1:${port}`, ...HASTY };
      const resources = { 'bus.yaml': componentYaml('bus', 'pubsub.redis', metadata) };
      mesh = await startAppMesh(executable, { caller: { resources } }, undefined, app.instead);
      await mesh.healthy('caller');
    });
    after(async () => {
      client.disconnect();
      await mesh?.stop();
    });

    test('events that wait for company longer than `processingTimeout` come, and are done with', async () => {
      const at = `http://127.0.0.1:${mesh.port('caller')}/v1.0/publish/bus/${topic}`;
      for (const n of [0, 1, 2, 3, 4]) {
        const headers = { 'content-type': 'application/json' };
        const answer = await fetch(at, { method: 'POST', headers, body: String(n) });
        assert.equal(answer.status, 204);
      }
      await until('all have come', () => app.come.size === 5);
      await until('nothing is pending', async () => {
        const [pending] = (await client.xpending(topic, 'caller')) as [number];
        return pending === 0;
      });
    });
  });
}

/** Takes all that it is brought; `come` has the data. */
function gatheringApp(topic: string) {
  const come = new Set<unknown>();
  return {
    come,
    instead({ body, url }: Seen) {
      if (url === '/dapr/subscribe') {
        const all = [{ pubsubname: 'bus', topic, route: '/gathered', bulkSubscribe: BULK }];
        return { status: 200, body: JSON.stringify(all) };
      }
      if (url !== '/gathered') return undefined;
      const { entries } = JSON.parse(body) as {
        entries: readonly { entryId: string; event: { data: unknown } }[];
      };
      for (const { event } of entries) come.add(event.data);
      const statuses = entries.map(({ entryId }) => ({ entryId, status: 'SUCCESS' }));
      return { status: 200, body: JSON.stringify({ statuses }) };
    },
  };
}

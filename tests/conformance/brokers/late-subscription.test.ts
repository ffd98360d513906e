import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type RedisServer, redisServer, suiteWith, until } from '@holdfast/test-servers';
import { Redis } from 'ioredis';
import { startAppMesh } from '../makes/app-mesh.ts';
import { bothMakes, type Make } from '../makes/both-makes.ts';
import { componentYaml } from '../makes/component-yaml.ts';

await suiteWith('pubsub.redis', redisServer, async (server) => {
  await bothMakes((make, executable) => lateSubscription(make, executable, server));
});

function lateSubscription(make: Make, executable: string | undefined, { port }: RedisServer): void {
  test(`${make}, what cannot be subscribed to is tried again until it can be`, async (t) => {
    const came: string[] = [];
    const wanted = [{ pubsubname: 'broker', topic: 'later', route: '/later' }];
    const client = new Redis(port);
    t.after(() => client.disconnect());
    // No stream: nobody can have a group of it.
    await client.set('later', 'taken');
    const resources = {
      'redis.yaml': componentYaml('broker', 'pubsub.redis', { redisHost: `127.0.0.1:${port}` }),
    };
    const mesh = await startAppMesh(executable, { caller: { resources } }, undefined, (seen) => {
      if (seen.url === '/dapr/subscribe') return { status: 200, body: JSON.stringify(wanted) };
      if (seen.url !== '/later') return undefined;
      came.push(seen.body);
      return { status: 200, body: '' };
    });
    t.after(() => mesh.stop());
    await sleep(1_000);
    await client.del('later');
    const to = `http://127.0.0.1:${mesh.port('caller')}/v1.0/publish/broker/later`;
    assert.equal((await fetch(to, { method: 'POST', body: '1' })).status, 204);
    await until('it is brought', () => came.length === 1);
    await client.del('later');
  });
}

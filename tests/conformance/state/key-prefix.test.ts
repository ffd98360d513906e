import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type RedisServer, redisServer, suiteWith } from '@holdfast/test-servers';
import { Redis } from 'ioredis';
import { startAppMesh } from '../makes/app-mesh.ts';
import { bothMakes, type Make } from '../makes/both-makes.ts';
import { componentYaml } from '../makes/component-yaml.ts';

await suiteWith('state.redis', redisServer, async (server) => {
  await bothMakes((make, executable) => keyPrefixes(make, executable, server));
});

function keyPrefixes(make: Make, executable: string | undefined, { port }: RedisServer): void {
  test(`${make}, what stands before a key is in lower case`, async (t) => {
    const client = new Redis(port);
    t.after(() => client.disconnect());
    await client.flushall();
    const more = (keyPrefix: string) => ({ redisHost: `127.0.0.1:${port}`, keyPrefix });
    const resources = {
      'orders.yaml': componentYaml('orders', 'state.redis', more('OurOrders')),
      'Named.yaml': componentYaml('Named', 'state.redis', more('Name')),
    };
    const mesh = await startAppMesh(executable, { caller: { resources } });
    t.after(() => mesh.stop());
    const post = async (path: string, body: object) => {
      const url = `http://127.0.0.1:${mesh.port('caller')}/${path}`;
      const headers = { 'content-type': 'application/json' };
      const answer = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) });
      assert.ok(answer.ok, await answer.text());
    };
    for (const store of ['orders', 'Named']) {
      await post(`v1.0/state/${store}`, [{ key: 'K', value: 1 }]);
    }
    const keys = await client.keys('*');
    assert.deepEqual(keys.sort(), ['Named||K', 'ourorders||K']);
  });
}

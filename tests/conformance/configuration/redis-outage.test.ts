import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type TcpProxy, tcpProxy } from '@holdfast/messaging/testing';
import { freePort, type RedisServer, redisServer, suiteWith } from '@holdfast/test-servers';
import { Redis } from 'ioredis';
import { type AppMesh, startAppMesh } from '../makes/app-mesh.ts';
import { bothMakes, type Make } from '../makes/both-makes.ts';
import { componentYaml } from '../makes/component-yaml.ts';
import { toldApp } from './told-app.ts';

await suiteWith('configuration.redis, out of reach', redisServer, async (server) => {
  await bothMakes((make, executable) => conformance(make, executable, server));
});

/** daprd hears on once Redis is back, and what happened before it was nobody's. */
function conformance(make: Make, executable: string | undefined, { port }: RedisServer): void {
  describe(`${make}, what changes while Redis is out of reach`, () => {
    let client: Redis;
    let proxy: TcpProxy;
    before(async () => {
      client = new Redis(port, '127.0.0.1');
      proxy = await tcpProxy(port);
    });
    after(async () => {
      client.disconnect();
      await proxy?.close();
    });

    for (const [whose, query] of [
      ['named keys', '?key=changed&key=gone&key=new&key=same&key=later'],
      ['all keys', ''],
    ] as const) {
      test(`of a subscription to ${whose}`, async (t) => {
        await client.flushall();
        await client.mset({ changed: '1', gone: '1', same: '1' });
        const app = toldApp();
        const mesh = await begin(executable, proxy.port, app);
        t.after(() => mesh.stop());
        const url = `http://127.0.0.1:${mesh.port('told')}/v1.0/configuration/config`;
        await (await fetch(`${url}/subscribe${query}`)).json();
        const write = (value: string) => () => client.set('later', value);
        // daprd answers before it listens.
        await app.hears('later', { value: '1' }, write('1'));

        proxy.target(await freePort());
        await client.mset({ changed: '2', new: '2', same: '1' });
        await client.del('gone');
        proxy.target(port);
        const missed = ['changed', 'gone', 'new'];
        if (make === 'holdfast') {
          await app.hears('changed', { value: '2' });
          await app.hears('new', { value: '2' });
          await app.hears('gone', {});
        }
        await app.hears('later', { value: '2' }, write('2'));
        const told = [...app.told.keys()].toSorted();
        assert.deepEqual(told, make === 'holdfast' ? [...missed, 'later'].toSorted() : ['later']);
      });
    }
  });
}

async function begin(
  executable: string | undefined,
  port: number,
  { instead }: ReturnType<typeof toldApp>,
): Promise<AppMesh<'told'>> {
  const redis = { redisHost: `127.0.0.1:${port}`, redisMaxRetryInterval: '100ms' };
  const resources = { 'config.yaml': componentYaml('config', 'configuration.redis', redis) };
  return await startAppMesh(executable, { told: { resources } }, undefined, instead);
}

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type RedisServer, redisServer, suiteWith } from '@holdfast/test-servers';
import { Redis } from 'ioredis';
import { bothMakes, type Make } from '../makes/both-makes.ts';
import { type Mesh, type Role, startMesh } from '../makes/mesh.ts';
import { toldApp } from './told-app.ts';

await suiteWith('configuration.redis', redisServer, async (server) => {
  await bothMakes((make, executable) => conformance(make, executable, server));
});

function conformance(make: Make, executable: string | undefined, { port }: RedisServer): void {
  describe(`${make}, configuration.redis`, () => {
    const app = toldApp();
    let mesh: Mesh;
    let client: Redis;
    before(async () => {
      client = new Redis(port, '127.0.0.1');
      await client.flushall();
      await client.mset({ a: 'v1||1', b: 'plain', c: 'x||y||z', d: '||5', empty: '' });
      await client.hset('hash', 'a', 'b');
      mesh = await startMesh(executable, {
        instead: app.instead,
        resources: { 'redis.yaml': COMPONENT(port) },
      });
    });
    after(async () => {
      client.disconnect();
      await mesh?.stop();
    });

    const ask = async (path: string, { method = 'GET', role = 'caller' as Role } = {}) => {
      const answer = await fetch(`http://127.0.0.1:${mesh.port(role)}/${path}`, { method });
      const text = await answer.text();
      return [answer.status, text === '' ? '' : JSON.parse(text)] as const;
    };
    const subscribe = async (query: string) =>
      (await ask(`v1.0/configuration/config/subscribe${query}`))[1].id as string;

    for (const [query, expected] of [
      ['?key=a&key=b', [200, { a: { value: 'v1', version: '1' }, b: { value: 'plain' } }]],
      ['?key=c', [200, { c: { value: 'x', version: 'y' } }]],
      ['?key=d', [204, '']],
      ['?key=empty', [204, '']],
      ['?key=hash', [204, '']],
      ['?key=nowhere', [204, '']],
      ['?key=', [204, '']],
      ['?key=b&metadata.any=1', [200, { b: { value: 'plain' } }]],
      ['?key=nowhere&key=b', [200, { b: { value: 'plain' } }]],
      [
        '',
        [
          200,
          {
            a: { value: 'v1', version: '1' },
            b: { value: 'plain' },
            c: { value: 'x', version: 'y' },
          },
        ],
      ],
    ] as const) {
      test(`GET ${query || 'of all keys'}`, async () => {
        for (const version of ['v1.0', 'v1.0-alpha1']) {
          assert.deepEqual(await ask(`${version}/configuration/config${query}`), expected);
        }
      });
    }

    test('a store that is not there', async () => {
      const expected = [
        400,
        {
          errorCode: 'ERR_CONFIGURATION_STORE_NOT_FOUND',
          message: 'configuration store nowhere not found',
        },
      ];
      for (const rest of ['?key=a', '/subscribe?key=a', '/some-id/unsubscribe']) {
        assert.deepEqual(await ask(`v1.0/configuration/nowhere${rest}`), expected, rest);
      }
    });

    test('the application is told what a key has become, and that it is gone', async () => {
      const id = await subscribe('?key=told');
      // daprd answers before it listens.
      await app.hears('told', { value: 'v2', version: '2' }, () => client.set('told', 'v2||2'));
      await client.set('told', 'v3');
      await app.hears('told', { value: 'v3' });
      await client.set('unasked', '1');
      await client.del('told');
      const last = await app.hears('told', {});
      assert.deepEqual(
        [last.id, last.method, last.type, app.told.has('unasked')],
        [id, 'POST', 'application/json', false],
      );
      assert.deepEqual(await ask(`v1.0/configuration/config/${id}/unsubscribe`), [
        200,
        { ok: true },
      ]);
    });

    test('of all keys where none is named; nothing more once it is unsubscribed', async () => {
      const id = await subscribe('');
      await app.hears('any', { value: '1' }, () => client.set('any', '1'));
      await ask(`v1.0-alpha1/configuration/config/${id}/unsubscribe`);
      await sleep(300);
      await client.set('any', '2');
      await sleep(300);
      assert.deepEqual(app.told.get('any')?.at(-1)?.item, { value: '1' });
    });

    test('a subscription that is not there cannot be ended', async () => {
      assert.deepEqual(await ask('v1.0/configuration/config/some-id/unsubscribe'), [
        500,
        {
          message:
            'failed to unsubscribe to configuration request some-id: subscription with id some-id does not exist',
        },
      ]);
    });

    test('without an application there is nobody to tell', async () => {
      const [status, { errorCode, message }] = await ask(
        'v1.0/configuration/config/subscribe?key=a',
        { role: 'noport' },
      );
      assert.deepEqual(
        [status, errorCode, message],
        [
          500,
          'ERR_APP_CHANNEL_NIL',
          'app channel is not initialized. cannot subscribe to configuration updates',
        ],
      );
    });

    test('its operations are counted', async () => {
      const page = await fetch(`http://127.0.0.1:${mesh.metricsPort('caller')}/metrics`);
      const counted =
        /^dapr_component_configuration_count\{app_id="caller",component="config",namespace="[^"]*",operation="(\w+)",success="true"\}/gm;
      const operations = Array.from((await page.text()).matchAll(counted), ([, name]) => name);
      assert.deepEqual(operations.toSorted(), ['get', 'subscribe', 'unsubscribe']);
    });
  });
}

const COMPONENT = (port: number) => `
apiVersion: dapr.io/v1alpha1
kind: Component
metadata: { name: config }
spec: { type: configuration.redis, version: v1, metadata: [{ name: redisHost, value: "127.0.0.1:${port}" }, { name: redisPassword, value: "" }] }
`;

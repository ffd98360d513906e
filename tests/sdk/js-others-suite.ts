import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { DaprServer } from '@dapr/dapr';
import { until } from '@holdfast/test-servers';
import { Redis } from 'ioredis';
import type { Make } from '../conformance/makes/both-makes.ts';
import { APP_ID, type Arrivals, type JsPair } from './js-pair.ts';

export async function receiveAll({ binding }: DaprServer, arrivals: Arrivals): Promise<void> {
  await binding.receive('tick', async (data: unknown) => {
    arrivals.add('tick', data, {});
  });
}

export function othersSuite(make: Make, of: () => JsPair, redisPort: number): void {
  const redis = async (work: (client: Redis) => Promise<unknown>): Promise<void> => {
    const client = new Redis(redisPort, '127.0.0.1');
    await work(client);
    client.disconnect();
  };

  test('secrets, one and all', async () => {
    const { secret } = of().client;
    const all = (await secret.getBulk('secret-envvars')) as Record<string, object>;
    assert.deepEqual(
      [await secret.get('secret-envvars', 'TEST_SECRET_1'), all.TEST_SECRET_2],
      [{ TEST_SECRET_1: 'secret_val_1' }, { TEST_SECRET_2: 'secret_val_2' }],
    );
  });

  test('health, and metadata read and written', async () => {
    const { health, metadata } = of().client;
    await metadata.set('testKey', 'Hello World');
    const { components, extended, id } = await metadata.get();
    const store = components.find(({ name }) => name === 'state-redis');
    assert.deepEqual(
      [await health.isHealthy(), id, (extended as Record<string, string>).testKey],
      [true, APP_ID, 'Hello World'],
    );
    for (const one of ['ETAG', 'TRANSACTIONAL']) assert.ok(store?.capabilities.includes(one));
  });

  test('a client starts against a sidecar that runs', async () => {
    const { client } = of();
    await client.start();
    assert.equal(client.getIsInitialized(), true);
  });

  test('a binding is sent to, and another brings events', async () => {
    const { arrivals, client } = of();
    const metadata = { fileName: `${make}-${of().protocol}.txt` };
    // Base64, which is bytes to this binding.
    await client.binding.send('files', 'create', 'aGVsbG8=', metadata);
    const read = await client.binding.send('files', 'get', '', metadata);
    await client.binding.send('files', 'delete', '', metadata);
    const data = typeof read === 'string' ? read : (read as { data: Uint8Array }).data;
    assert.equal(Buffer.from(data).toString(), 'hello');
    assert.ok((await arrivals.wait('tick', 1)).length > 0);
  });

  test('a lock is held by one, and given back', {
    skip: make === 'daprd' && 'this daprd has no lock.redis',
  }, async () => {
    const { lock } = of().client;
    const held = [
      await lock.lock('lock-redis', 'thing', 'me', 30),
      await lock.lock('lock-redis', 'thing', 'you', 30),
    ].map(({ success }) => success);
    const given = [];
    for (const owner of ['you', 'me', 'me']) {
      given.push((await lock.unlock('lock-redis', 'thing', owner)).status);
    }
    assert.deepEqual(
      [held, given],
      [
        [true, false],
        // Another's; given back; nobody's.
        [2, 0, 1],
      ],
    );
  });

  test('configuration is read, and its changes come until nobody wants them', async (t) => {
    const { client, protocol } = of();
    if (protocol === 'HTTP') return t.skip('the SDK has it over gRPC alone');
    const { configuration } = client;
    const set = (key: string, value: string) => redis((one) => one.set(key, value));
    await redis((one) => one.config('SET', 'notify-keyspace-events', 'KA'));
    await set('my-1', 'first||1');
    await set('my-2', 'second||1');
    const { items } = await configuration.get('config-redis', ['my-1', 'my-2']);
    const shown = Object.entries(items).map(([key, { value, version }]) => [key, value, version]);

    const seen: string[] = [];
    const stream = await configuration.subscribeWithKeys(
      'config-redis',
      ['my-1'],
      async (change) => {
        for (const [key, { value }] of Object.entries(change.items)) seen.push(`${key}=${value}`);
      },
    );
    await until('it is told', async () => {
      await set('my-1', 'third||2');
      return seen.length > 0;
    });
    stream.stop();
    await sleep(200);
    const told = seen.length;
    await set('my-1', 'fourth||3');
    await sleep(300);
    assert.deepEqual(
      [shown.sort(), [...new Set(seen)], seen.length - told],
      [
        [
          ['my-1', 'first', '1'],
          ['my-2', 'second', '1'],
        ],
        ['my-1=third'],
        0,
      ],
    );
  });

  test('the sidecar shuts down when it is told to', async () => {
    const { client, sidecar } = of();
    await client.sidecar.shutdown();
    const [code] = await sidecar.exited;
    assert.equal(code, 0);
  });
}

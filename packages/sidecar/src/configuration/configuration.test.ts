import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { tcpProxy } from '@holdfast/messaging/testing';
import { createLogger } from '@holdfast/telemetry/log';
import { type RedisServer, redisServer, suiteWith, until } from '@holdfast/test-servers';
import { Redis } from 'ioredis';
import { staticNames } from '../names/static-names.ts';
import { startSidecar } from '../start-sidecar.ts';

/** What the two makes have in common is in tests/conformance/configuration/redis-configuration.test.ts. */
await suiteWith('configuration', redisServer, suite);

function suite({ port, process: redis }: RedisServer): void {
  let client: Redis;
  before(() => {
    // It is in the way of the outage as well.
    client = new Redis(port, '127.0.0.1').on('error', () => {});
  });
  after(async () => {
    client.disconnect();
  });

  describe('configuration', () => {
    test('what a key has become while nobody could hear is told when Redis is back', async (t) => {
      await client.mset({ kept: 'same', changed: '1' });
      const { subscribe, told } = await start(t, port);
      await subscribe('?key=kept&key=changed');
      await client.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
      await client.set('changed', '2');
      await told('changed', { value: '2' });

      await redis.kill();
      await redis.restart();
      await client.set('changed', '3');
      const all = await told('changed', { value: '3' });
      // Redis has forgotten what it was asked to tell of, and is asked again.
      await client.set('changed', '4');
      await told('changed', { value: '4' });
      assert.equal(all.has('kept'), false);
    });

    test('what Redis tells others of already stays as it is', async (t) => {
      await client.config('SET', 'notify-keyspace-events', 'Eh');
      const { subscribe, told } = await start(t, port);
      await subscribe('?key=a');
      await client.set('a', '1');
      await told('a', { value: '1' });
      const [, flags] = (await client.config('GET', 'notify-keyspace-events')) as string[];
      assert.deepEqual([...flags!].toSorted(), [...'$EKeghx'].toSorted());
    });

    test('an application that fails is told again as the inbound policies say', async (t) => {
      const { subscribe, told, refuse } = await start(t, port);
      refuse(2);
      await subscribe('?key=flaky');
      await client.set('flaky', '1');
      const all = await told('flaky', { value: '1' }, 3);
      assert.equal(all.get('flaky')?.length, 3);
    });

    test('many changes of a key while the application is busy end with the last', async (t) => {
      const { subscribe, told } = await start(t, port, 50);
      await subscribe('?key=busy');
      for (let n = 0; n <= 100; n += 1) await client.set('busy', String(n));
      const all = await told('busy', { value: '100' });
      assert.ok(all.get('busy')!.length < 50, `${all.get('busy')!.length} calls`);
    });

    test('a subscription that came too late for its attempt tells nobody beside the next one', async (t) => {
      const proxy = await tcpProxy(port);
      t.after(() => proxy.close());
      const { ask, subscribe, told } = await start(t, proxy.port);
      await ask('?key=late');
      proxy.delay(600);
      const [status, why] = await ask('/subscribe?key=late');
      assert.deepEqual([status, why.errorCode], [500, 'ERR_CONFIGURATION_SUBSCRIBE']);
      assert.match(why.message, /context deadline exceeded$/);
      proxy.delay(0);
      await until('Redis is fast again', async () => (await ask('/subscribe?key=late'))[0] === 200);
      await subscribe('?key=last');
      await client.mset({ late: '1', last: '1' });
      const all = await told('late', { value: '1' });
      await client.set('last', '2');
      await told('last', { value: '2' });
      assert.equal(all.get('late')?.length, 1);
    });

    test('a Redis that is away fails a read in the words of Dapr', async (t) => {
      const { ask } = await start(t, port);
      await redis.kill();
      await ask('?key=a');
      const answer = await ask('?key=a&key=b');
      await redis.restart();
      const why = `dial tcp 127.0.0.1:${port}: connect: connection refused`;
      assert.deepEqual(answer, [
        500,
        {
          errorCode: 'ERR_CONFIGURATION_GET',
          message: `failed to get [a b] from Configuration store config: fail to get configuration for redis key=a, error is ${why}`,
        },
      ]);
    });
  });
}

/** A sidecar with a store `config`, and an application that keeps what it is told and takes so long for it. */
async function start(t: TestContext, port: number, takesMs = 0) {
  const heard = new Map<string, unknown[]>();
  let refusals = 0;
  const app = http.createServer((req, res) => {
    let body = '';
    req.on('data', (chunk: Buffer) => {
      body += chunk.toString();
    });
    req.on('end', async () => {
      const key = /^\/configuration\/config\/(.+)$/.exec(req.url ?? '')?.[1];
      if (key !== undefined) {
        await sleep(takesMs);
        const { items } = JSON.parse(body) as { items: Record<string, unknown> };
        heard.set(key, [...(heard.get(key) ?? []), items[key]]);
      }
      res.statusCode = key !== undefined && refusals > 0 ? 503 : 200;
      if (res.statusCode === 503) refusals -= 1;
      res.end();
    });
  });
  await new Promise<void>((resolve) => app.listen(0, '127.0.0.1', resolve));
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-configuration-'));
  await writeFile(join(folder, 'config.yaml'), COMPONENT(port));
  await writeFile(join(folder, 'policies.yaml'), RESILIENCY);
  const sidecar = await startSidecar(
    {
      appId: 'one',
      appPort: (app.address() as AddressInfo).port,
      httpPort: 0,
      metricsPort: 0,
      names: staticNames({}),
      resourcesPaths: [folder],
    },
    { log: createLogger({ write: () => {} }) },
  );
  t.after(async () => {
    await sidecar.stop({ force: true });
    app.closeAllConnections();
    app.close();
    await rm(folder, { recursive: true, force: true });
  });
  const ask = async (rest: string) => {
    const url = `http://127.0.0.1:${sidecar.ports.http}/v1.0/configuration/config${rest}`;
    const answer = await fetch(url);
    const text = await answer.text();
    return [answer.status, text === '' ? '' : JSON.parse(text)] as const;
  };
  return {
    ask,
    refuse(times: number) {
      refusals = times;
    },
    async subscribe(query: string) {
      const [status] = await ask(`/subscribe${query}`);
      assert.equal(status, 200);
    },
    /** Resolves with all it was told, once `item` is the last of a key, and there were so many. */
    async told(key: string, item: object, atLeast = 1) {
      const wanted = JSON.stringify(item);
      const there = () => {
        const all = heard.get(key) ?? [];
        return all.length >= atLeast && JSON.stringify(all.at(-1)) === wanted;
      };
      await until(() => `${key} becomes ${wanted}, not ${JSON.stringify(heard.get(key))}`, there);
      return heard;
    },
  };
}

const COMPONENT = (port: number) => `
apiVersion: dapr.io/v1alpha1
kind: Component
metadata: { name: config }
spec: { type: configuration.redis, version: v1, metadata: [{ name: redisHost, value: "127.0.0.1:${port}" }, { name: redisMaxRetryInterval, value: 50ms }] }
`;

const RESILIENCY = `
apiVersion: dapr.io/v1alpha1
kind: Resiliency
metadata: { name: r }
spec:
  policies:
    retries: { soon: { policy: constant, duration: 10ms, maxRetries: 5 } }
    timeouts: { short: 1s }
  targets: { components: { config: { inbound: { retry: soon }, outbound: { timeout: short } } } }
`;

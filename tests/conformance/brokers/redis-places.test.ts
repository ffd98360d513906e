import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, type TestContext, test } from 'node:test';
import {
  eventually,
  freePort,
  redisCluster,
  redisServer,
  selfSigned,
  until,
  withRedisFailover,
  withServer,
} from '@holdfast/test-servers';
import { Redis } from 'ioredis';
import { setupFailure, startAppMesh } from '../makes/app-mesh.ts';
import { bothMakes, type Make } from '../makes/both-makes.ts';
import { componentYaml } from '../makes/component-yaml.ts';
import { subscriberApp } from './subscriber-app.ts';

type Metadata = Readonly<Record<string, string>>;

const own = await selfSigned();
const folder = await mkdtemp(path.join(tmpdir(), 'holdfast-redis-tls-'));
after(() => rm(folder, { recursive: true, force: true }));
const [certFile, keyFile] = [path.join(folder, 'cert.pem'), path.join(folder, 'key.pem')];
await Promise.all([writeFile(certFile, own.certificate), writeFile(keyFile, own.key)]);

await bothMakes((make, executable) => conformance(make, executable));

/** Where a Redis is, and who it lets in. */
function conformance(make: Make, executable: string | undefined): void {
  describe(`${make}, where the Redis of pubsub.redis is`, () => {
    test('behind TLS, which asks for a certificate', async (t) => {
      const port = await freePort();
      const server = await withServer(t, () =>
        redisServer([
          ...['--tls-port', String(port), '--tls-cert-file', certFile, '--tls-key-file', keyFile],
          ...['--tls-ca-cert-file', certFile, '--tls-auth-clients', 'yes'],
        ]),
      );
      if (server === undefined) return;
      const base = { redisHost: `127.0.0.1:${port}`, enableTLS: 'true' };
      const pair = { clientCert: own.certificate, clientKey: own.key };
      const failure = (metadata: Metadata) =>
        setupFailure(executable, { resources: { 'redis.yaml': component(metadata) } });
      assert.match((await failure({ ...base, ...pair })) ?? '', /certificate|self-signed/);
      assert.notEqual(await failure({ ...base, insecureSkipTLSVerify: 'true' }), undefined);
      const { passes } = await begin(t, executable, {
        ...{ ...base, ...pair, insecureSkipTLSVerify: 'true' },
      });
      await passes('over TLS');
    });

    test('a cluster', async (t) => {
      const cluster = await withServer(t, redisCluster);
      if (cluster === undefined) return;
      const redisHost = cluster.nodes.map(({ port }) => `127.0.0.1:${port}`).join(',');
      const { passes } = await begin(t, executable, { redisHost, redisType: 'cluster' });
      await passes('in a cluster');
    });

    test('a master that a sentinel names, and then another', async (t) => {
      const failover = await withRedisFailover(t);
      if (failover === undefined) return;
      const { replica, sentinel } = failover;
      const { passes } = await begin(t, executable, {
        ...{ redisHost: `127.0.0.1:${sentinel.port}`, failover: 'true' },
        ...{ sentinelMasterName: 'main', redisMaxRetries: '-1' },
      });
      await passes('of the first');
      await failOver(t, sentinel.port, replica.port);
      await passes('of the second');
    });
  });
}

const component = (metadata: Metadata) => componentYaml('broker', 'pubsub.redis', metadata);

/** A sidecar with such a broker and an application that listens. */
async function begin(t: TestContext, executable: string | undefined, metadata: Metadata) {
  const app = subscriberApp([{ topic: 'orders' }]);
  const appPort = await app.start();
  t.after(() => app.close());
  const resources = { 'redis.yaml': component(metadata) };
  const mesh = await startAppMesh(executable, { caller: { appPort, resources } });
  t.after(() => mesh.stop());
  await mesh.healthy('caller');
  const url = `http://127.0.0.1:${mesh.port('caller')}/v1.0/publish/broker/orders`;
  return {
    /** An event is published, now or in a while, and comes. */
    async passes(text: string): Promise<void> {
      await until(
        `${text}: it is published`,
        async () => (await fetch(url, { method: 'POST', body: text })).status === 204,
      );
      await until(`${text}: it has come`, () => app.texts('orders').has(text));
    },
  };
}

async function failOver(t: TestContext, sentinel: number, replica: number): Promise<void> {
  const [watcher, second] = [sentinel, replica].map((port) =>
    // Both are removed before these are.
    new Redis(port, '127.0.0.1').on('error', () => {}),
  );
  t.after(() => [watcher, second].map((client) => client!.disconnect()));
  await until('the replica is in step', async () =>
    (await second!.info('replication')).includes('master_link_status:up'),
  );
  await eventually(
    () => watcher!.call('SENTINEL', 'FAILOVER', 'main'),
    () => true,
    'the sentinel fails over',
  );
  await until('the replica is the master', async () =>
    (await second!.info('replication')).includes('role:master'),
  );
}

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { systemClock } from '@holdfast/core';
import { createLogger } from '@holdfast/telemetry/log';
import {
  eventually,
  findProgram,
  freePort,
  redisServer,
  until,
  withRedisFailover,
  withServer,
} from '@holdfast/test-servers';
import { Redis } from 'ioredis';
import { ComponentSettings } from '../components/component-settings.ts';
import { redisPubSub } from '../pubsub/brokers/redis/redis-pubsub.ts';
import { redisState } from '../state/redis-state.ts';
import { openRedis } from './open-redis.ts';
import { redisSettings } from './redis-settings.ts';

describe('a component on Redis', () => {
  test('signs in, and says so where it may not', async (t) => {
    const server = await withServer(t, () => redisServer(['--requirepass', 'right']));
    if (server === undefined) return;
    const host = `127.0.0.1:${server.port}`;
    const admin = clientOf(t, server.port, { password: 'right' });
    await admin.acl('SETUSER', 'app', 'on', '>secret', '~*', '&*', '+@all');
    const outcome = (more: Readonly<Record<string, string>>) =>
      stateOf(host, more).then(
        async (store) => {
          await store.write([set('k')], false);
          await store.close();
          return 'written';
        },
        ({ message }: Error) => message,
      );
    const failed = `redis store: error connecting to redis at ${host}`;
    const wrong = 'WRONGPASS invalid username-password pair or user is disabled.';
    assert.deepEqual(
      [
        await outcome({ redisPassword: 'right' }),
        await outcome({ redisUsername: 'app', redisPassword: 'secret' }),
        await outcome({ redisPassword: 'wrong' }),
        await outcome({}),
      ],
      ['written', 'written', `${failed}: ${wrong}`, `${failed}: NOAUTH Authentication required.`],
    );
  });

  test('sends the commands of one turn in one write', async (t) => {
    const server = await withServer(t, redisServer);
    if (server === undefined) return;
    const given = redisSettings(settings(`127.0.0.1:${server.port}`));
    const redis = await openRedis(given, { what: 'redis store' });
    t.after(() => redis.close());
    const { stream } = redis.client as Redis;
    const alone = t.mock.method(stream, '_write');
    const together = t.mock.method(stream as Required<typeof stream>, '_writev');
    const turn = () =>
      Promise.all(['a', 'b', 'c'].map((key) => redis.run((client) => client.set(key, key))));

    assert.deepEqual(await turn(), ['OK', 'OK', 'OK']);
    assert.deepEqual(await turn(), ['OK', 'OK', 'OK']);
    assert.deepEqual([together.mock.callCount(), alone.mock.callCount()], [2, 0]);
  });

  test('keeps its items in the database it names', async (t) => {
    const server = await withServer(t, redisServer);
    if (server === undefined) return;
    const store = await stateOf(`127.0.0.1:${server.port}`, { redisDB: '3' });
    t.after(() => store.close());
    await store.write([set('k')], false);
    const client = clientOf(t, server.port);
    const first = await client.exists('k');
    await client.select(3);
    assert.deepEqual([first, await client.exists('k')], [0, 1]);
  });

  test('does not go on in another database where Redis has none of that number, and one without patience connects', async (t) => {
    const server = await withServer(t, redisServer);
    if (server === undefined) return;
    const host = `127.0.0.1:${server.port}`;
    await assert.rejects(
      stateOf(host, { redisDB: '99' }),
      new RegExp(`error connecting to redis at ${host}: ERR DB index is out of range$`),
    );
    // The driver ended the process at this.
    for (const dialTimeout of ['-1', '0']) {
      const store = await stateOf(host, { dialTimeout, readTimeout: dialTimeout });
      await store.write([set('k')], false);
      await store.close();
    }
  });

  test('what is without effect is nobody’s, so that the log can name it', () => {
    const unasked = (more: Readonly<Record<string, string>>) => {
      const given = settings('h:1', { ...more, sentinelPassword: 'p', enableTLS: 'true' });
      redisSettings(given);
      return given.unasked();
    };
    assert.deepEqual(
      [
        unasked({ clientCert: 'PEM' }),
        unasked({ redisType: 'cluster', redisDB: '3' }),
        unasked({ redisType: 'Cluster', redisUsername: 'me', maxRetries: '5' }),
        unasked({ failover: 'true', sentinelMasterName: 'main', redisDB: '3' }),
      ],
      [
        ['clientCert', 'sentinelPassword'],
        ['redisDB', 'sentinelPassword'],
        ['redisType', 'redisUsername', 'maxRetries', 'sentinelPassword'],
        [],
      ],
    );
  });

  test('a write in flight when Redis is killed fails, and is not sent again behind the caller’s back', async (t) => {
    const server = await withServer(t, redisServer);
    if (server === undefined) return;
    const { port, process: redis } = server;
    const store = await stateOf(`127.0.0.1:${port}`, {
      readTimeout: '1m',
      redisMinRetryInterval: '300',
    });
    t.after(() => store.close());
    await store.write([set('k')], false);
    redis.signal('SIGSTOP');
    const inFlight = store.write([set('k')], false).then(
      () => 'written',
      ({ message }: Error) => message,
    );
    await sleep(50);
    // At once: continued first, it could take the write after all.
    process.kill(redis.pid(), 'SIGKILL');
    await redis.kill();
    await redis.restart();
    const outcome = await inFlight;
    const value = await eventually(() => store.get('k'), Boolean, 'Redis is reached again');
    assert.equal(value?.etag, '1');
    assert.notEqual(outcome, 'written');
  });

  test('verifies who it talks to over TLS, unless it is told not to', async (t) => {
    const openssl = findProgram('openssl');
    if (openssl === undefined) return t.skip('openssl is not on this machine');
    const folder = await mkdtemp(join(tmpdir(), 'holdfast-redis-tls-'));
    t.after(() => rm(folder, { recursive: true, force: true }));
    const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
    await promisify(execFile)(openssl, [
      ...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '1', '-subj', '/CN=localhost'],
      ...['-keyout', key, '-out', cert],
    ]);
    const tlsPort = await freePort();
    const server = await withServer(t, () =>
      redisServer([
        ...['--tls-port', String(tlsPort), '--tls-cert-file', cert, '--tls-key-file', key],
        ...['--tls-ca-cert-file', cert, '--tls-auth-clients', 'yes'],
      ]),
    );
    if (server === undefined) return;
    const pair = {
      clientCert: await readFile(cert, 'utf8'),
      clientKey: await readFile(key, 'utf8'),
    };
    const outcome = (more: Readonly<Record<string, string>>) =>
      stateOf(`127.0.0.1:${tlsPort}`, { enableTLS: 'true', ...more }).then(
        async (store) => {
          await store.write([set('k')], false);
          await store.close();
          return 'written';
        },
        ({ message }: Error) => message.replace(/^.*: |;.*$/g, ''),
      );
    assert.deepEqual(
      [await outcome({ ...pair, insecureSkipTLSVerify: 'true' }), await outcome(pair)],
      ['written', 'self-signed certificate'],
    );
  });

  test('uses a cluster: items in any slot, transactions in one, streams', async (t) => {
    const busPort = await freePort();
    const server = await withServer(t, () =>
      redisServer([
        ...['--cluster-enabled', 'yes', '--cluster-announce-ip', '127.0.0.1'],
        ...['--cluster-port', String(busPort)],
      ]),
    );
    if (server === undefined) return;
    const client = clientOf(t, server.port);
    await client.call('CLUSTER', 'ADDSLOTSRANGE', '0', '16383');
    await until('the cluster is one', async () =>
      (await client.cluster('INFO')).includes('cluster_state:ok'),
    );
    const host = `127.0.0.1:${server.port}`;
    const store = await stateOf(host, { redisType: 'cluster' });
    t.after(() => store.close());
    await store.write([set('a'), set('b'), set('c')], false);
    await store.write([set('{one}a'), set('{one}b')], true);
    const refused = await store
      .write([set('a'), set('b')], true)
      .catch(({ message }: Error) => message);
    assert.match(String(refused), /slot/i);
    const values = await Promise.all(['a', 'b', 'c', '{one}b'].map((key) => store.get(key)));
    assert.deepEqual(
      values.map((item) => item?.etag),
      ['1', '1', '1', '1'],
    );

    const broker = await redisPubSub(settings(host, { redisType: 'cluster' }), ENV);
    t.after(() => broker.close());
    const taken = Promise.withResolvers<string>();
    await broker.subscribe('topic', async ({ data }) => taken.resolve(String(data)));
    await broker.publish('topic', { data: Buffer.from('x'), metadata: {} });
    assert.equal(await taken.promise, 'x');
    await broker.drain();
  });

  test('follows the master that a sentinel names, also to another', async (t) => {
    const failover = await withRedisFailover(t);
    if (failover === undefined) return;
    const { replica, sentinel } = failover;
    const store = await stateOf(`127.0.0.1:${sentinel.port}`, {
      failover: 'true',
      sentinelMasterName: 'main',
    });
    t.after(() => store.close());
    await store.write([set('k')], false);

    const watcher = clientOf(t, sentinel.port);
    const second = clientOf(t, replica.port);
    await until('the replica is in step', async () =>
      (await second.info('replication')).includes('master_link_status:up'),
    );
    await eventually(
      () => watcher.call('SENTINEL', 'FAILOVER', 'main'),
      () => true,
      'the sentinel fails over',
    );
    await until('the replica is the master', async () =>
      (await second.info('replication')).includes('role:master'),
    );
    await until('the store writes there', async () => {
      await store.write([set('after')], false).catch(() => {});
      return (await second.exists('after')) === 1;
    });
    assert.equal(String((await store.get('k'))?.value), '1');
  });
});

const log = createLogger({ write: () => {} });
const ENV = { appId: 'one', clock: systemClock, log };

const settings = (redisHost: string, more: Readonly<Record<string, string>> = {}) =>
  new ComponentSettings('s', Object.entries({ redisHost, ...more }));

const stateOf = (host: string, more: Readonly<Record<string, string>> = {}) =>
  redisState(settings(host, more), systemClock);

const set = (key: string) => ({ kind: 'set', key, value: '1', firstWrite: false }) as const;

function clientOf(t: TestContext, port: number, more: { readonly password?: string } = {}): Redis {
  const client = new Redis({ port, host: '127.0.0.1', ...more }).on('error', () => {});
  t.after(() => client.disconnect());
  return client;
}

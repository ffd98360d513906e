import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type RedisServer, withRedisFailover } from '@holdfast/test-servers';
import * as redis from 'ioredis';
import { eventually } from '../testing/eventually.ts';
import { messageTo } from '../testing/servers/redis-suite.ts';
import { redisStreamsBroker } from './redis-streams-broker.ts';

test('after a failover members and publishers find the master that the sentinel names', async (t) => {
  const failover = await withRedisFailover(t);
  if (failover === undefined) return;
  const { replica, sentinel } = failover;
  const second = clientOf(t, replica);
  const watcher = clientOf(t, sentinel);
  await eventually(
    () => second.info('replication'),
    (info) => info.includes('master_link_status:up'),
    'the replica follows',
  );
  const opened = (clientId: string) => {
    const options = { sentinels: [{ host: '127.0.0.1', port: sentinel.port }], name: 'main' };
    const broker = redisStreamsBroker({
      ...{ redis, options, clientId, durability: { replicas: 1 } },
      ...{ timeoutMs: 2_000, reconnectMs: 100, claimIdleMs: 1_000 },
    });
    t.after(() => broker.close());
    return broker;
  };
  const got: string[] = [];
  for (const member of ['one', 'two']) {
    await opened(member).subscribe('moved', { group: 'g' }, async ({ id }) => void got.push(id));
  }
  const publisher = opened('publisher');
  const publishing = (id: string) =>
    eventually(
      () =>
        publisher.publish([messageTo('moved', id, 'k')]).then(
          () => true,
          () => false,
        ),
      (published) => published,
      `${id} is published`,
    );
  await publishing('before');

  await eventually(
    () =>
      watcher.call('SENTINEL', 'FAILOVER', 'main').then(
        () => true,
        () => false,
      ),
    (begun) => begun,
    'the failover begins',
  );
  await eventually(
    () => second.info('replication'),
    (info) => info.includes('role:master'),
    'the replica is master',
  );
  await publishing('after');
  await eventually(
    () => got,
    (all) => all.includes('after'),
    'the members are back',
  );

  assert.deepEqual([...new Set(got)], ['before', 'after']);
  assert.equal(await second.exists('holdfast:{moved}'), 1);
});

function clientOf(t: TestContext, { port }: RedisServer) {
  const client = new redis.Redis({ port, host: '127.0.0.1' }).on('error', () => {});
  t.after(() => client.disconnect());
  return client;
}

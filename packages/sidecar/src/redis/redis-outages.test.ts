import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { systemClock } from '@holdfast/core';
import { tcpProxy } from '@holdfast/messaging/testing';
import { type RedisServer, redisServer, withServer } from '@holdfast/test-servers';
import { Redis } from 'ioredis';
import { ComponentSettings } from '../components/component-settings.ts';
import { redisState } from '../state/redis-state.ts';
import { KEEP_ALIVE, kernelTimers } from '../testing/kernel-timers.ts';

describe('a Redis that fails without going away', () => {
  test('a connection that a firewall has forgotten is given up for another, and a read is repeated there', async (t) => {
    const world = await begin(t, { readTimeout: '1s' });
    if (world === undefined) return;
    const { proxy, store } = world;
    await store.write([set('k')], false);
    proxy.silence();
    // It stays open and answers nobody; the driver alone would have gone on with it for a quarter of an hour.
    assert.equal((await store.get('k'))?.etag, '1');
    await store.write([set('k')], false);
  });

  test('a write that it does not answer fails and says how long it waited, and is not repeated', async (t) => {
    const world = await begin(t, { readTimeout: '1s' });
    if (world === undefined) return;
    const { address, proxy, store } = world;
    await store.write([set('k')], false);
    proxy.silence();
    const failed = `failed to set key k: read tcp ${address}: i/o timeout: no answer within 1000 ms (readTimeout)`;
    await assert.rejects(store.write([set('k')], false), { message: failed });
    assert.equal((await store.get('k'))?.etag, '1');
  });

  test('a connection that is reset is said to have been', async (t) => {
    const world = await begin(t, {});
    if (world === undefined) return;
    const { address, proxy, store } = world;
    await store.write([set('k')], false);
    const cut = proxy.cutOnce((piece) => /evalsha|eval/i.test(String(piece)), 'unanswered');
    const failed = `failed to set key k: read tcp ${address}: read: connection reset by peer`;
    await assert.rejects(store.write([set('k')], false), { message: failed });
    await cut;
  });

  test('a read whose connection is reset is repeated over the next', async (t) => {
    const world = await begin(t, {});
    if (world === undefined) return;
    const { proxy, store } = world;
    await store.write([set('k')], false);
    const cut = proxy.cutOnce((piece) => /hgetall/i.test(String(piece)), 'unanswered');
    assert.equal((await store.get('k'))?.etag, '1');
    await cut;
  });

  test('a master that has become a replica is left for the one that its address leads to now', async (t) => {
    const world = await begin(t, {});
    if (world === undefined) return;
    const { admin, proxy, store } = world;
    const next = await withServer(t, () => redisServer());
    if (next === undefined) return;
    await store.write([set('before')], false);
    // The address has moved, and nobody cuts the connections to where it led before.
    proxy.target(next.port, 'kept');
    await admin.call('REPLICAOF', '127.0.0.1', String(next.port));
    await store.write([set('after')], false);
    const there = new Redis(next.port);
    t.after(() => there.disconnect());
    assert.equal(await there.exists('after'), 1);
  });

  test('reads go on where it is a replica for good, and a write says so', async (t) => {
    const world = await begin(t, {});
    if (world === undefined) return;
    const { admin, store } = world;
    await store.write([set('k')], false);
    await admin.call('REPLICAOF', '127.0.0.1', '1');
    const answers = await Promise.all(
      Array.from({ length: 20 }, async (_, at) => {
        if (at % 2 === 0) return (await store.get('k'))?.etag;
        return await store.write([set('k')], false).catch(({ message }: Error) => message);
      }),
    );
    assert.deepEqual(new Set(answers.filter((_, at) => at % 2 === 0)), new Set(['1']));
    for (const said of answers.filter((_, at) => at % 2 === 1)) {
      assert.match(String(said), /^failed to set key k: READONLY /);
    }
  });

  test('a connection at rest is asked by the system every now and then whether it is there', async (t) => {
    if (process.platform !== 'linux') return t.skip('only Linux shows the timers of connections');
    const world = await begin(t, {});
    if (world === undefined) return;
    const timers = await kernelTimers('remote', world.proxy.port);
    assert.equal(timers.length, 1);
    for (const { kind, leftS } of timers) assert.ok(kind === KEEP_ALIVE && leftS <= 15, `${leftS}`);
  });
});

const set = (key: string) => ({ kind: 'set', key, value: '1', firstWrite: false }) as const;

/** A state store behind a proxy. */
async function begin(t: TestContext, more: Readonly<Record<string, string>>) {
  const server: RedisServer | undefined = await withServer(t, () => redisServer());
  if (server === undefined) return undefined;
  const proxy = await tcpProxy(server.port);
  const address = `127.0.0.1:${proxy.port}`;
  const settings = new ComponentSettings('s', Object.entries({ redisHost: address, ...more }));
  const store = await redisState(settings, systemClock);
  const admin = new Redis(server.port);
  t.after(async () => {
    admin.disconnect();
    await store.close();
    await proxy.close();
  });
  return { address, admin, proxy, store };
}

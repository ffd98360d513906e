import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { systemClock } from '@holdfast/core';
import { createLogger } from '@holdfast/telemetry/log';
import { type RedisServer, redisServer, until, withServer } from '@holdfast/test-servers';
import { Redis } from 'ioredis';
import { ComponentSettings } from '../components/component-settings.ts';
import { redisConfiguration } from '../configuration/redis-configuration.ts';
import { redisLock } from '../lock/redis-lock.ts';
import { redisPubSub } from '../pubsub/brokers/redis/redis-pubsub.ts';
import { redisState } from '../state/redis-state.ts';

const log = createLogger({ write: () => {} });
const gone = new Error('the attempt is over');

describe('a call of Redis that nobody waits for any more', () => {
  test('ends at once and is never sent, where there is no connection', async (t) => {
    const world = await begin(t);
    if (world === undefined) return;
    const { configuration, lock, pubsub, redis, state } = world;
    await redis.stop();
    const giveUp = new AbortController();
    const calls = [
      state.write([set('late')], false, giveUp.signal),
      state.write([set('late'), set('later')], true, giveUp.signal),
      state.get('late', giveUp.signal),
      lock.tryLock('door', 'me', 60, giveUp.signal),
      configuration.get(['late'], giveUp.signal),
      pubsub.publish('late', { data: Buffer.from('1'), metadata: {} }, giveUp.signal),
    ];
    const said = Promise.all(calls.map((one) => one.catch((error: unknown) => error)));
    giveUp.abort(gone);
    assert.deepEqual(
      await said,
      calls.map(() => gone),
    );

    await redis.restart();
    // Others go on, over the same connections, and so behind whatever these had kept.
    await until('state is back', () => state.write([set('new')], false).then(() => true));
    await until('locks are back', () => lock.tryLock('window', 'me', 60));
    const admin = world.admin();
    assert.deepEqual((await admin.keys('*')).toSorted(), ['new', 'window']);
  });

  test('ends at once where Redis does not answer, and a lock that it got too late is given back', async (t) => {
    const world = await begin(t);
    if (world === undefined) return;
    const { lock, redis, state } = world;
    // Not by CLIENT PAUSE, which holds up its own end as well.
    redis.signal('SIGSTOP');
    t.after(() => redis.signal('SIGCONT'));
    const giveUp = new AbortController();
    const calls = [
      state.get('k', giveUp.signal),
      lock.tryLock('door', 'me', 60, giveUp.signal),
      lock.unlock('door', 'me', giveUp.signal),
    ];
    const said = Promise.all(calls.map((one) => one.catch((error: unknown) => error)));
    await new Promise((resolve) => setImmediate(resolve));
    giveUp.abort(gone);
    assert.deepEqual(await said, [gone, gone, gone]);

    redis.signal('SIGCONT');
    await until('another has it', () => lock.tryLock('door', 'you', 60));
  });

  test('is not begun where it was over before', async (t) => {
    const world = await begin(t);
    if (world === undefined) return;
    const { state } = world;
    await assert.rejects(state.write([set('k')], false, AbortSignal.abort(gone)), gone);
    assert.equal(await state.get('k'), undefined);
  });
});

const set = (key: string) =>
  ({ kind: 'set', key, value: '1', firstWrite: false, ttlSeconds: undefined }) as const;

async function begin(t: TestContext) {
  const server: RedisServer | undefined = await withServer(t, () => redisServer());
  if (server === undefined) return undefined;
  const settings = () =>
    new ComponentSettings('s', [
      ['redisHost', `127.0.0.1:${server.port}`],
      // Longer than any of these tests: what ends is ended by the signal.
      ['readTimeout', '60s'],
    ]);
  const state = await redisState(settings(), systemClock);
  const lock = await redisLock(settings(), log);
  const configuration = await redisConfiguration(settings(), { clock: systemClock, log });
  const pubsub = await redisPubSub(settings(), { appId: 'a', clock: systemClock, log });
  t.after(() => Promise.all([state, lock, configuration, pubsub].map((one) => one.close())));
  return {
    ...{ configuration, lock, pubsub, state, redis: server.process },
    admin() {
      const client = new Redis(server.port);
      t.after(() => client.disconnect());
      return client;
    },
  };
}

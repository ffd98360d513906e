import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as redis from 'ioredis';
import { type RedisStreamsBrokerOptions, resolveRedisStreamsOptions } from './options.ts';
import { redisStreamsBroker } from './redis-streams-broker.ts';

const good = { redis, url: 'redis://127.0.0.1', clientId: 'c' };

test('options that cannot work are refused by name, rule and value', () => {
  const said = (more: Partial<RedisStreamsBrokerOptions>): string => {
    try {
      resolveRedisStreamsOptions({ ...good, ...more });
      return 'taken';
    } catch (error) {
      return String(error);
    }
  };

  assert.deepEqual(
    [
      said({ url: 'http://user:secret@127.0.0.1' }),
      said({ clientId: '' }),
      said({ keyPrefix: 'a{b' }),
      said({ deliverFrom: 'old' as 'all' }),
      said({ durability: 'disk' as 'aof' }),
      said({ durability: { replicas: 0 } }),
      said({ maxLength: -1 }),
      said({ maxMessageBytes: 1 }),
      said({ claimIdleMs: 299 }),
      said({ prefetch: 0 }),
      said({ trimMs: 99 }),
      said({ timeoutMs: 99 }),
      said({ reconnectMs: 9 }),
    ],
    [
      'TypeError: redisStreamsBroker.url must be a URL such as redis://127.0.0.1:6379.',
      'TypeError: redisStreamsBroker.clientId must not be empty.',
      'TypeError: redisStreamsBroker.keyPrefix must be without {, which stands around the topic, not "a{b".',
      'RangeError: redisStreamsBroker.deliverFrom must be all or new, not old.',
      'RangeError: redisStreamsBroker.durability must be memory, aof or { replicas }, not disk.',
      'RangeError: redisStreamsBroker.durability.replicas must be a whole number from 1 to 100, not 0.',
      'RangeError: redisStreamsBroker.maxLength must be a whole number from 0 to 9007199254740991, not -1.',
      'RangeError: redisStreamsBroker.maxMessageBytes must be a whole number from 1024 to 536870912, not 1.',
      'RangeError: redisStreamsBroker.claimIdleMs must be a whole number from 300 to 3600000, not 299.',
      'RangeError: redisStreamsBroker.prefetch must be a whole number from 1 to 10000, not 0.',
      'RangeError: redisStreamsBroker.trimMs must be a whole number from 100 to 3600000, not 99.',
      'RangeError: redisStreamsBroker.timeoutMs must be a whole number from 100 to 600000, not 99.',
      'RangeError: redisStreamsBroker.reconnectMs must be a whole number from 10 to 60000, not 9.',
    ],
  );
});

test('without a url the options must say where Redis is', () => {
  assert.throws(() => redisStreamsBroker({ redis, clientId: 'c' }), {
    name: 'TypeError',
    message:
      'redisStreamsBroker needs a url such as redis://127.0.0.1:6379, or options such as { sentinels, name }.',
  });
});

test('a topic without a name, or with one too long, is refused before anything is sent', async () => {
  const broker = redisStreamsBroker(good);
  const topic = 'x'.repeat(1_001);

  await assert.rejects(
    broker.publish([{ id: 'm', topic, key: undefined, body: Buffer.alloc(0), headers: {} }]),
    { rejected: new Map([['m', 'the topic has 1001 bytes, and we allow 1 to 1000']]) },
  );
  await assert.rejects(
    broker.subscribe('', { group: 'g' }, async () => {}),
    { message: 'Cannot subscribe to "": the topic has 0 bytes, and we allow 1 to 1000.' },
  );
});

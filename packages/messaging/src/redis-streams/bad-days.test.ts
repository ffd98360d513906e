import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { pipeline } from '@holdfast/core';
import { type RedisServer, redisServer } from '@holdfast/test-servers';
import * as redis from 'ioredis';
import { memoryStore } from '../memory-store.ts';
import { openOutbox } from '../outbox.ts';
import { brokerBadDays } from '../testing/bad-days/broker-bad-days.ts';
import { poisonMessages } from '../testing/bad-days/poison-messages.ts';
import { eventually } from '../testing/eventually.ts';
import { redisSuite } from '../testing/servers/redis-suite.ts';
import { redisStreamsBroker } from './redis-streams-broker.ts';

const { server, skip } = await redisSuite();
after(() => (skip === false ? server.process.remove() : undefined));

brokerBadDays(
  'redisStreamsBroker',
  async () => ({
    url: server.url,
    tooLarge: {
      bytes: 1_100_000,
      says: /^it has 1100\d+ bytes, of at most 1048576 \(redisStreamsBroker\.maxMessageBytes\)/,
    },
    async foreign(topic) {
      const stream = `holdfast:{${topic}}`;
      const entries = [
        ['body', 'nothing but a body'],
        ['data', 'no body', 'body', ''],
        [
          'id',
          'newer',
          'holdfast-version',
          '99',
          'headers',
          '{"a":1,"b":{"c":[]}}',
          'body',
          'newer',
        ],
        ['id', 'torn', 'headers', '{"a":', 'body', 'headers cut in half'],
        ['id', 'list', 'headers', '[1,2]', 'body', 'headers that are a list'],
        ['id', 'trace', 'headers', '{"traceparent":"00-zz-1-01"}', 'body', 'a broken trace'],
        ['id', '', 'key', '', 'body', 'an empty id'],
        ['body', Buffer.of(0xff, 0xfe, 0x00, 0xc3)],
      ];
      const client = new redis.Redis(server.url);
      for (const entry of entries) await client.xadd(stream, '*', ...entry);
      client.disconnect();
      return entries.map((entry) => Buffer.from(entry[entry.indexOf('body') + 1] ?? ''));
    },
    async wipe(topic) {
      const client = new redis.Redis(server.url);
      await client.del(`holdfast:{${topic}}`);
      client.disconnect();
    },
    folder: server.folder,
    stop: () => server.process.kill(),
    start: () => server.process.restart(),
  }),
  { skip, holdMs: 2_000 },
);

test('a message that Redis itself will not have is dead at once, and others go on', {
  skip,
}, async (t) => {
  const strict = (await redisServer(['--proto-max-bulk-len', '1mb'])) as RedisServer;
  t.after(() => strict.process.remove());
  const how = { redis, url: strict.url, maxMessageBytes: 8_388_608, reconnectMs: 50 };
  const broker = redisStreamsBroker({ ...how, clientId: 'strict' });
  t.after(() => broker.close());
  const got: string[] = [];
  await broker.subscribe('strict', { group: 'g' }, async ({ id }) => void got.push(id));
  const limits = { maxBodyBytes: 8_388_608 };
  const outbox = await openOutbox({ store: memoryStore(), limits });
  t.after(() => outbox.close());
  const pauses = { pauseMs: 20, maxPauseMs: 50 };
  outbox.relay(broker, { ...pauses, pipeline: pipeline('strict', [], { registry: undefined }) });
  await outbox.accept([{ id: 'huge', topic: 'strict', key: 'a', body: Buffer.alloc(2_000_000) }]);
  let sent = 0;
  const letters = await eventually(
    async () => {
      await outbox.accept([{ id: `m${sent}`, topic: 'strict', key: 'b', body: 'x' }]);
      sent += 1;
      return (await outbox.dead.list()).letters;
    },
    (all) => all.length > 0,
    'it is dead',
  );
  await eventually(
    () => new Set(got).size,
    (count) => count >= sent,
    'the others arrive',
  );

  assert.deepEqual(
    letters.map(({ message: { id } }) => id),
    ['huge'],
  );
  assert.match(
    letters[0]?.reason ?? '',
    /^it has 20000\d\d bytes, of at most 1048576 \(proto-max-bulk-len of Redis\): raise/,
  );
});

poisonMessages('redisStreamsBroker', async () => ({ url: server.url }), { skip });

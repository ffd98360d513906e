import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { type RedisServer, redisServer } from '@holdfast/test-servers';
import type { BrokerRejectedError } from '../errors.ts';
import { eventually } from '../testing/eventually.ts';
import { messageTo, redisSuite } from '../testing/servers/redis-suite.ts';
import type { RedisDurability } from './options.ts';

const { opened, raw, server, skip } = await redisSuite();
after(() => (skip === false ? server.process.remove() : undefined));

test('a full stream postpones what does not fit, says for whom, and has room again when that is done', {
  skip,
}, async (t) => {
  const broker = opened(t, 'full', { maxLength: 3 });
  const handle = Promise.withResolvers<void>();
  const send = (...ids: string[]) =>
    broker.publish(ids.map((id) => messageTo('full', id))).then(
      () => 'all taken',
      ({ postponed, taken }: BrokerRejectedError) => [...postponed, ...taken],
    );

  const said = [await send('a', 'b', 'c', 'd')];
  const handled: string[] = [];
  await broker.subscribe('full', { group: 'late' }, async ({ id }) => {
    handled.push(id);
    await handle.promise;
  });
  said.push(await send('d'));
  handle.resolve();
  await eventually(
    () => send('d'),
    (answer) => answer === 'all taken',
    'there is room',
  );
  await eventually(
    () => handled.length,
    (count) => count >= 4,
    'all are handled',
  );

  assert.deepEqual(said, [
    [
      ['d', 'the stream is full (maxLength, 3 entries), and no group takes anything off it'],
      ...['a', 'b', 'c'],
    ],
    [
      [
        'd',
        'the stream is full (maxLength, 3 entries) with what the group "late" has not acknowledged',
      ],
    ],
  ]);
  assert.deepEqual(handled, ['a', 'b', 'c', 'd']);
});

test('a Redis without memory, and a key that is no stream, postpone; others of the call are taken', {
  skip,
}, async (t) => {
  const client = raw(t);
  const broker = opened(t, 'refused');
  const send = (...topics: string[]) =>
    broker.publish(topics.map((topic) => messageTo(topic, `to ${topic}`))).then(
      () => 'all taken',
      ({ postponed, taken }: BrokerRejectedError) => [...postponed, ...taken],
    );
  await client.set('holdfast:{text}', 'x');

  const wrongType = await send('text', 'beside');
  await client.config('SET', 'maxmemory', '1');
  const noMemory = await send('beside').finally(() => client.config('SET', 'maxmemory', '0'));

  assert.deepEqual(
    [wrongType, noMemory],
    [
      [
        [
          'to text',
          'the key of its stream holds something else; delete it, or use another keyPrefix',
        ],
        'to beside',
      ],
      [['to beside', 'Redis has no memory for it now (maxmemory)']],
    ],
  );
});

test('a replica takes nothing, and says what to name instead', { skip }, async (t) => {
  const client = raw(t);
  const broker = opened(t, 'reader');
  await client.replicaof('127.0.0.1', 1);
  const error = await broker
    .publish([messageTo('t', 'm')])
    .catch((reason: Error) => reason)
    .finally(() => client.replicaof('NO', 'ONE'));

  assert.equal(
    String(error),
    `BrokerUnavailableError: Redis at 127.0.0.1:${server.port} did not take the messages: READONLY You can't write against a read only replica (it is a replica: name the master, or its sentinels).`,
  );
});

test('what a Redis that stood still finds in its buffer afterwards is not published any more', {
  skip,
}, async (t) => {
  const client = raw(t);
  const broker = opened(t, 'stopped', { timeoutMs: 500 });
  await broker.publish([messageTo('stopped', 'before')]);
  server.process.signal('SIGSTOP');
  const error = await broker.publish([messageTo('stopped', 'never')]).catch((reason) => reason);
  server.process.signal('SIGCONT');
  await eventually(
    () =>
      broker.publish([messageTo('stopped', 'after')]).then(
        () => true,
        () => false,
      ),
    (published) => published,
    'publishing works again',
  );
  const entries = await client.xrange('holdfast:{stopped}', '-', '+');

  assert.equal(error.code, 'BROKER_UNAVAILABLE');
  assert.deepEqual([...new Set(entries.map(([, fields]) => fields[1]))], ['before', 'after']);
});

test('durability that Redis cannot give is an outage that says so', { skip }, async (t) => {
  const client = raw(t);
  const [, version] = /redis_version:(\S+)/.exec(await client.info('server')) ?? [];
  const [major = 0, minor = 0] = version!.split('.').map(Number);
  const send = (durability: RedisDurability) =>
    opened(t, 'sure', { durability, timeoutMs: 500 })
      .publish([messageTo('sure', 'm')])
      .then(
        () => 'published',
        ({ message: said }: Error) => said.replace(/.*?: /, ''),
      );

  assert.equal(
    await send('aof'),
    major > 7 || (major === 7 && minor >= 2)
      ? 'published'
      : `durability "aof" needs WAITAOF, which Redis has since 7.2, and this is ${version}; let it run with appendfsync always and use "memory".`,
  );
  assert.match(
    await send({ replicas: 1 }),
    /^(0 of 1 replicas have them in time|it did not a.*)\.$/,
  );
  const replica = (await redisServer([
    '--replicaof',
    '127.0.0.1',
    String(server.port),
  ])) as RedisServer;
  t.after(() => replica.process.remove());
  await eventually(
    () => send({ replicas: 1 }),
    (said) => said === 'published',
    'the replica has it',
  );
});

test('a connection that Redis closed while nobody published costs no publication', {
  skip,
}, async (t) => {
  const client = raw(t);
  const broker = opened(t, 'idle');
  await broker.publish([messageTo('idle', 'a')]);
  const closed = await client.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
  await new Promise((resolve) => setTimeout(resolve, 100));
  await broker.publish([messageTo('idle', 'b')]);

  assert.ok(Number(closed) >= 1);
  assert.equal(await client.xlen('holdfast:{idle}'), 2);
});

test('a call of more than one script can carry is whole, in its order', { skip }, async (t) => {
  const client = raw(t);
  const broker = opened(t, 'large', { timeoutMs: 60_000 });
  const body = Buffer.alloc(1_000_000);
  const ids = Array.from({ length: 40 }, (_, n) => `m${n}`);
  await broker.publish(ids.map((id) => ({ ...messageTo('large', id), body })));
  const entries = await client.xrange('holdfast:{large}', '-', '+');
  await client.del('holdfast:{large}');

  assert.deepEqual(
    entries.map(([, fields]) => fields[1]),
    ids,
  );
});

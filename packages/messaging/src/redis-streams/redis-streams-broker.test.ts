import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { type BrokerUnderTest, brokerContract } from '../testing/contracts/broker-contract.ts';
import { eventually } from '../testing/eventually.ts';
import { orderedRelay } from '../testing/outages/ordered-relay.ts';
import { messageTo, redisSuite } from '../testing/servers/redis-suite.ts';

const { collect, connect, opened, raw, server, skip } = await redisSuite();
after(() => (skip === false ? server.process.remove() : undefined));

brokerContract(
  'redisStreamsBroker',
  async (): Promise<BrokerUnderTest> => ({
    connect: (clientId) => connect(clientId),
    tooLargeBytes: 1_100_000,
    kill: () => server.process.kill(),
    start: () => server.process.restart(),
  }),
  { skip },
);

test('an entry that somebody else added is a message named by its place', { skip }, async (t) => {
  const client = raw(t);
  const place = await client.xadd('holdfast:{foreign}', '*', 'body', 'x', 'headers', 'no JSON');
  const got = await collect(t, 'foreign', 1);

  assert.deepEqual(
    got.map(({ body, ...rest }) => ({ ...rest, body: String(body) })),
    [{ id: place, topic: 'foreign', key: undefined, headers: {}, body: 'x', delivery: 1 }],
  );
});

test('Redis goes on counting deliveries over processes, and not those that no handler saw', {
  skip,
}, async (t) => {
  const seen: string[] = [];
  const first = connect('first');
  const wait = { redeliverMs: 60_000, maxRedeliverMs: 60_000 };
  await first.subscribe('counted', { group: 'g', ...wait }, async ({ id, delivery }) => {
    seen.push(`${id}#${delivery}`);
    throw new Error('never');
  });
  await opened(t, 'publisher').publish(['m', 'n'].map((id) => messageTo('counted', id, 'k')));
  await eventually(
    () => seen.length,
    (count) => count > 0,
    'the first is tried',
  );
  await first.close();
  const got = await collect(t, 'counted', 2);

  assert.deepEqual(seen, ['m#1']);
  assert.deepEqual(
    got.map(({ id, delivery }) => `${id}#${delivery}`),
    ['m#2', 'n#1'],
  );
});

test('a key that fails keeps others waiting for nothing', { skip }, async (t) => {
  const handled: string[] = [];
  const publisher = opened(t, 'publisher');
  await opened(t, 'consumer').subscribe('keys', { group: 'g' }, async ({ id, delivery }) => {
    if (id === 'bad' && delivery < 3) throw new Error('not yet');
    handled.push(id);
  });
  await publisher.publish([
    messageTo('keys', 'bad', 'k'),
    messageTo('keys', 'behind', 'k'),
    messageTo('keys', 'other', 'l'),
  ]);
  await eventually(
    () => handled.length,
    (count) => count >= 3,
    'all are handled',
  );

  assert.deepEqual(handled, ['other', 'bad', 'behind']);
});

test('the stream forgets what all groups have acknowledged, and nothing else', {
  skip,
}, async (t) => {
  const client = raw(t);
  const lengths: number[] = [];
  const ids = Array.from({ length: 50 }, (_, n) => `m${n}`);
  const quick = { trimMs: 100, claimIdleMs: 300 };
  await opened(t, 'publisher').publish(ids.map((id) => messageTo('kept', id, id)));
  let held = true;
  await opened(t, 'slow', quick).subscribe(
    'kept',
    { group: 'slow', redeliverMs: 10, maxRedeliverMs: 10 },
    async ({ id }) => {
      if (held && id === 'm20') throw new Error('not yet');
    },
  );
  await collect(t, 'kept', 50, quick);
  const length = () => client.xlen('holdfast:{kept}');
  await eventually(length, (now) => now <= 30, 'it is trimmed');
  await new Promise((resolve) => setTimeout(resolve, 300));
  lengths.push(await length());
  held = false;
  lengths.push(await eventually(length, (now) => now === 0, 'it is trimmed again'));

  assert.deepEqual(lengths, [30, 0]);
});

test('after FLUSHALL the group is made again, also one that began with what came', {
  skip,
}, async (t) => {
  const client = raw(t);
  const broker = opened(t, 'flushed', { deliverFrom: 'new' });
  const got: string[] = [];
  await broker.publish([messageTo('flushed', 'before')]);
  await broker.subscribe('flushed', { group: 'g' }, async ({ id }) => void got.push(id));
  await broker.publish([messageTo('flushed', 'a')]);
  await eventually(
    () => got,
    (all) => all.includes('a'),
    'the first arrives',
  );
  await client.flushall();
  await broker.publish([messageTo('flushed', 'b')]);
  await eventually(
    () => got,
    (all) => all.includes('b'),
    'the one behind arrives',
  );

  assert.deepEqual(got, ['a', 'b']);
});

test('what a member side by side abandoned goes to another, once its time is over', {
  skip,
}, async (t) => {
  const client = raw(t);
  await client.xgroup('CREATE', 'holdfast:{left}', 'g', '0', 'MKSTREAM');
  await opened(t, 'publisher').publish([messageTo('left', 'm')]);
  await client.xreadgroup('GROUP', 'g', 'ghost', 'STREAMS', 'holdfast:{left}', '>');
  const got = await collect(t, 'left', 1, { claimIdleMs: 300 }, { concurrency: 4 });

  assert.deepEqual(
    got.map(({ id, delivery }) => `${id}#${delivery}`),
    ['m#2'],
  );
});

test('a handler may take longer than claimIdleMs, and what waits behind it too', {
  skip,
}, async (t) => {
  const deliveries: string[] = [];
  const release = Promise.withResolvers<void>();
  const how = { group: 'g', concurrency: 2 };
  for (const member of ['one', 'two']) {
    await opened(t, member, { claimIdleMs: 2_000 }).subscribe(
      'slow',
      how,
      async ({ id, delivery }) => {
        deliveries.push(`${id}#${delivery}`);
        await release.promise;
      },
    );
  }
  const ids = Array.from({ length: 8 }, (_, n) => `m${n}`);
  await opened(t, 'publisher').publish(ids.map((id) => messageTo('slow', id)));
  await new Promise((resolve) => setTimeout(resolve, 3_500));
  release.resolve();
  await eventually(
    () => deliveries.length,
    (count) => count >= 8,
    'all are handled',
  );

  assert.deepEqual(
    deliveries.toSorted(),
    ids.map((id) => `${id}#1`),
  );
});

test('a group whose members want different things says so, and what to do', { skip }, async (t) => {
  await opened(t, 'one').subscribe('agreed', { group: 'g' }, async () => {});

  await assert.rejects(
    opened(t, 'other').subscribe('agreed', { group: 'g', concurrency: 4 }, async () => {}),
    {
      code: 'BROKER_UNAVAILABLE',
      message: `Redis at 127.0.0.1:${server.port} no longer serves the group "g" of "agreed": its members work in turn, and this one would side by side: give all the same concurrency, or wait 10000 ms after the last of them has gone.`,
    },
  );
});

for (const concurrency of [1, 4]) {
  test(`a Redis without memory can be emptied (concurrency ${concurrency})`, {
    skip,
  }, async (t) => {
    const client = raw(t);
    const topic = `emptied-${concurrency}`;
    const stream = `holdfast:{${topic}}`;
    await opened(t, 'publisher').publish(['a', 'b', 'c'].map((id) => messageTo(topic, id, 'k')));
    await client.xgroup('CREATE', stream, 'g', '0');
    await client.config('SET', 'maxmemory', '1');
    try {
      const quick = { claimIdleMs: 300, trimMs: 100 };
      const got = await collect(t, topic, 3, quick, { concurrency });
      await eventually(
        () => client.xlen(stream),
        (length) => length === 0,
        'it is trimmed',
      );
      assert.deepEqual(got.map(({ id }) => id).toSorted(), ['a', 'b', 'c']);
    } finally {
      await client.config('SET', 'maxmemory', '0');
    }
  });
}

orderedRelay(
  {
    opened,
    kill: () => server.process.kill(),
    restart: () => server.process.restart(),
  },
  skip,
);

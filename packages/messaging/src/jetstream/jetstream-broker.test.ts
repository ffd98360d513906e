import assert from 'node:assert/strict';
import { after, type TestContext, test } from 'node:test';
import { type NatsServer, natsServer, Unavailable } from '@holdfast/test-servers';
import * as jetstream from '@nats-io/jetstream';
import * as nats from '@nats-io/transport-node';
import type { BrokerRejectedError } from '../errors.ts';
import { type BrokerUnderTest, brokerContract } from '../testing/contracts/broker-contract.ts';
import { eventually } from '../testing/eventually.ts';
import { orderedRelay } from '../testing/outages/ordered-relay.ts';
import { jetstreamBroker } from './jetstream-broker.ts';
import type { JetStreamBrokerOptions } from './options.ts';

const found = await natsServer();
if (found instanceof Unavailable && process.env.CI === 'true') throw new Error(found.why);
const skip = found instanceof Unavailable ? found.why : false;
const server = found as NatsServer;
after(() => (skip === false ? server.process.remove() : undefined));

const connect = (clientId: string, more: Partial<JetStreamBrokerOptions> = {}) =>
  jetstreamBroker({
    nats,
    jetstream,
    servers: [server.url],
    clientId,
    timeoutMs: 5_000,
    reconnectMs: 100,
    ...more,
  });

brokerContract(
  'jetstreamBroker',
  async (): Promise<BrokerUnderTest> => ({
    connect: (clientId) => connect(clientId),
    tooLargeBytes: 1_100_000,
    kill: () => server.process.kill(),
    start: () => server.process.restart(),
  }),
  { skip },
);

test('a message sent again is known by its id, and the same id on another topic is another message', {
  skip,
}, async (t) => {
  const broker = opened(t, 'twice');
  const got: string[] = [];
  for (const topic of ['first', 'dead']) {
    await broker.subscribe(
      topic,
      { group: 'g' },
      async ({ id }) => void got.push(`${topic} ${id}`),
    );
  }

  await broker.publish([message('first', 'm')]);
  await broker.publish([message('first', 'm')]);
  await broker.publish([message('dead', 'm')]);
  await broker.publish([message('dead', 'm')]);
  await broker.publish([message('first', 'last'), message('dead', 'end')]);
  await eventually(
    () => got,
    (all) => all.includes('first last') && all.includes('dead end'),
    'both topics',
  );

  assert.deepEqual(got.toSorted(), ['dead end', 'dead m', 'first last', 'first m']);
});

test('messages whose ids another topic has had stay before those of their call that are new', {
  skip,
}, async (t) => {
  const broker = opened(t, 'again');
  const old = ['m0', 'm1', 'm2', 'm3'];
  const all = [...old, 'm4', 'm5', 'm6'];
  const arrived: string[] = [];
  await broker.publish(old.map((id) => message('before', id)));
  await broker.subscribe('after', { group: 'g' }, async ({ id }) => void arrived.push(id));

  await broker.publish(all.map((id) => message('after', id)));
  await eventually(
    () => arrived.length,
    (count) => count >= all.length,
    'all arrive',
  );

  assert.deepEqual(arrived, all);
});

test('known by their ids alone, one whose id another topic has had arrives all the same, once', {
  skip,
}, async (t) => {
  const broker = opened(t, 'ids', { duplicatesBy: 'id' });
  const arrived: string[] = [];
  await broker.subscribe('own', { group: 'g' }, async ({ id }) => void arrived.push(id));

  await broker.publish([message('another', 'i1')]);
  for (let times = 0; times < 2; times += 1) {
    await broker.publish(['i1', 'i2'].map((id) => message('own', id)));
  }
  await broker.publish([message('own', 'last')]);
  await eventually(
    () => arrived,
    (ids) => ids.includes('last'),
    'the last arrives',
  );

  assert.deepEqual(arrived.toSorted(), ['i1', 'i2', 'last']);
});

test('a group that comes later has what the stream holds, or what comes, as it says', {
  skip,
}, async (t) => {
  const broker = opened(t, 'early');
  await broker.publish([message('kept', 'before')]);
  const [all, coming]: [string[], string[]] = [[], []];

  await broker.subscribe('kept', { group: 'all' }, async ({ id }) => void all.push(id));
  await opened(t, 'late', { deliverFrom: 'new' }).subscribe(
    'kept',
    { group: 'new' },
    async ({ id }) => void coming.push(id),
  );
  await broker.publish([message('kept', 'after')]);
  await eventually(
    () => all.length + coming.length,
    (count) => count >= 3,
    'both groups',
  );

  assert.deepEqual({ all, coming }, { all: ['before', 'after'], coming: ['after'] });
});

test('a stream goes on counting deliveries over processes', { skip }, async (t) => {
  const seen: number[] = [];
  const first = connect('first');
  const wait = { redeliverMs: 60_000, maxRedeliverMs: 60_000 };
  await first.subscribe('counted', { group: 'g', ...wait }, async ({ delivery }) => {
    seen.push(delivery);
    throw new Error('never');
  });
  await opened(t, 'publisher').publish([message('counted', 'm')]);
  await eventually(
    () => seen.length,
    (count) => count > 0,
    'the first is tried',
  );
  await first.close();

  const delivered = new Promise<number>((resolve) => {
    const second = opened(t, 'second');
    void second.subscribe('counted', { group: 'g' }, async ({ delivery }) => resolve(delivery));
  });

  assert.deepEqual([seen, await delivered], [[1], 2]);
});

test('a handler may take longer than ackWaitMs, and what waits behind it too', {
  skip,
}, async (t) => {
  const broker = opened(t, 'slow', { ackWaitMs: 5_000 });
  const deliveries: string[] = [];
  const release = Promise.withResolvers<void>();
  const how = { group: 'g', concurrency: 2 };
  await broker.subscribe('slow', how, async ({ id, delivery }) => {
    deliveries.push(`${id}#${delivery}`);
    await release.promise;
  });
  await broker.publish(['a', 'b', 'c'].map((id) => message('slow', id)));
  await new Promise((resolve) => setTimeout(resolve, 6_500));
  release.resolve();
  await eventually(
    () => deliveries.length,
    (count) => count >= 3,
    'all are handled',
  );

  assert.deepEqual(deliveries.toSorted(), ['a#1', 'b#1', 'c#1']);
});

test('a group whose members want different things says so, and what to do', { skip }, async (t) => {
  await opened(t, 'one').subscribe('agreed', { group: 'g' }, async () => {});

  await assert.rejects(
    opened(t, 'other').subscribe('agreed', { group: 'g', concurrency: 4 }, async () => {}),
    {
      code: 'BROKER_UNAVAILABLE',
      message:
        /no longer serves the consumer "g@agreed": it is there with max_ack_pending 1, and this member wants 1000; give all members the same options, or delete the consumer\.$/,
    },
  );
});

test('a stream that is full postpones what would not fit', { skip }, async (t) => {
  const broker = opened(t, 'full', { stream: 'small', maxBytes: 1_000 });
  const big = { ...message('t', 'big'), body: Buffer.alloc(900) };
  await broker.publish([big]);

  const refusal = await broker
    .publish([{ ...big, id: 'another' }])
    .catch((error: BrokerRejectedError) => error);

  assert.deepEqual(refusal?.postponed, new Map([['another', 'the stream is full']]));
});

test('without a stream for the subject publishing is an outage that says so', {
  skip,
}, async (t) => {
  const broker = opened(t, 'nowhere', { createStream: false, subjectPrefix: 'nowhere.' });

  await assert.rejects(broker.publish([message('t', 'm')]), {
    code: 'BROKER_UNAVAILABLE',
    message: `NATS at 127.0.0.1:${server.port} did not take the messages: no stream of NATS at 127.0.0.1:${server.port} takes it, or JetStream is off there.`,
  });
});

test('topics, ids and headers that NATS cannot carry are refused by name', { skip }, async (t) => {
  const broker = opened(t, 'refused');
  const refused = async (one: ReturnType<typeof message>) =>
    await broker.publish([one]).then(
      () => 'taken',
      ({ rejected }: BrokerRejectedError) => rejected.get(one.id),
    );

  assert.deepEqual(
    [
      await refused(message('a..b', 'm')),
      await refused(message('a b', 'm')),
      await refused(message('a.*', 'm')),
      await refused(message('a*b.c>', 'ok')),
      await refused(message('t', ' m')),
      await refused({ ...message('t', 'h'), headers: { 'Nats-Rollup': 'all' } }),
      await refused({ ...message('t', 'h'), headers: { 'a b': '' } }),
      await refused({ ...message('t', 'h'), headers: { a: 'one\ntwo' } }),
    ],
    [
      'a subject of NATS has something before, between and after its dots',
      'a subject of NATS has no spaces',
      '* and > stand for other subjects in NATS',
      'taken',
      'its id is not one line of text without spaces around it',
      'the header "Nats-Rollup" is not yours to set',
      'the header "a b" has a name that NATS does not allow',
      'the header "a" is not one line without spaces around it',
    ],
  );
  await assert.rejects(
    broker.subscribe('a..b', { group: 'g' }, async () => {}),
    {
      name: 'TypeError',
      message: /^Cannot subscribe to "a\.\.b": a subject of NATS has something/,
    },
  );
});

orderedRelay(
  {
    opened: (t, clientId) => opened(t, clientId, { stream: 'relayed' }),
    kill: () => server.process.kill(),
    restart: () => server.process.restart(),
  },
  skip,
);

test('closing ends while the server hangs, with a message in hand and one in flight', {
  skip,
  timeout: 60_000,
}, async (t) => {
  const broker = connect('hung', { timeoutMs: 1_000 });
  const arrived: string[] = [];
  await broker.subscribe('hung', { group: 'g' }, async ({ id }) => void arrived.push(id));
  await broker.publish([message('hung', 'a')]);
  await eventually(
    () => arrived.length,
    (count) => count === 1,
    'it arrives',
  );

  server.process.signal('SIGSTOP');
  t.after(() => server.process.signal('SIGCONT'));
  const refused = assert.rejects(broker.publish([message('hung', 'b')]), {
    name: 'BrokerUnavailableError',
  });
  const startedMs = performance.now();
  await broker.close();
  t.diagnostic(`closed after ${Math.round(performance.now() - startedMs)} ms, timeoutMs 1000`);

  await refused;
});

function opened(t: TestContext, clientId: string, more: Partial<JetStreamBrokerOptions> = {}) {
  const broker = connect(clientId, more);
  t.after(() => broker.close());
  return broker;
}

function message(topic: string, id: string) {
  return { id, topic, key: undefined, body: Buffer.from('x'), headers: {} };
}

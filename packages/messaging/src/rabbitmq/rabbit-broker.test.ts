import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type RabbitServer, rabbitServer, Unavailable } from '@holdfast/test-servers';
import * as amqp from 'amqplib';
import { type BrokerUnderTest, brokerContract } from '../testing/contracts/broker-contract.ts';
import { eventually } from '../testing/eventually.ts';
import { tcpProxy } from '../testing/servers/tcp-proxy.ts';
import { rabbitBroker } from './rabbit-broker.ts';

const found = await rabbitServer();
if (found instanceof Unavailable && process.env.CI === 'true') throw new Error(found.why);
const skip = found instanceof Unavailable ? found.why : false;
const server = found as RabbitServer;
after(() => (skip === false ? server.process.remove() : undefined));

const connect = (clientId: string, queueType: 'quorum' | 'classic' = 'quorum') =>
  rabbitBroker({
    ...{ amqp, url: server.url, clientId, queueType, settleMs: 0 },
    ...{ timeoutMs: 5_000, reconnectMs: 100 },
  });

brokerContract(
  'rabbitBroker',
  async (): Promise<BrokerUnderTest> => ({
    // Nothing settles here, and the suite kills the node: 3.10 would never find the leader of a
    // quorum queue again that it made just before. The outages have quorum queues.
    connect: (clientId) => connect(clientId, 'classic'),
    tooLargeBytes: 1_100_000,
    kill: () => server.process.kill(),
    start: () => server.process.restart(),
  }),
  { skip },
);

test('a message for a topic nobody has subscribed to is postponed', { skip }, async (t) => {
  const broker = connect('lonely');
  t.after(() => broker.close());

  await assert.rejects(broker.publish([message('nobody-listens', 'm')]), {
    code: 'BROKER_REJECTED',
    postponed: new Map([['m', 'nobody has subscribed to "nobody-listens" yet']]),
  });
});

test('a server that no longer says anything is noticed by its heartbeats, and the member goes on when it does', {
  skip,
}, async (t) => {
  const broker = rabbitBroker({
    ...{ amqp, url: server.url, clientId: 'watchful', queueType: 'classic', settleMs: 0 },
    ...{ heartbeatMs: Number(process.env.HOLDFAST_HEARTBEAT_MS ?? 1_000), reconnectMs: 100 },
  });
  t.after(() => broker.close());
  t.after(() => server.process.signal('SIGCONT'));
  const lost = Promise.withResolvers<unknown>();
  const got: string[] = [];
  const onProblem = ({ error }: { readonly error: unknown }) => lost.resolve(error);
  await broker.subscribe('silent', { group: 'g', onProblem }, async ({ id }) => void got.push(id));

  const silentMs = performance.now();
  server.process.signal('SIGSTOP');
  const problem = await lost.promise;
  t.diagnostic(`noticed after ${(performance.now() - silentMs).toFixed(0)} ms`);
  server.process.signal('SIGCONT');
  await eventually(
    () =>
      broker.publish([message('silent', 'after')]).then(
        () => true,
        () => false,
      ),
    (published) => published,
    'publishing works',
  );
  await eventually(
    () => got,
    (ids) => ids.includes('after'),
    'the member is back',
  );

  assert.match(String(problem), /Heartbeat timeout/);
});

test('an id of more bytes than AMQP holds is refused for good, and holds up nobody', {
  skip,
}, async (t) => {
  const broker = connect('long-ids', 'classic');
  t.after(() => broker.close());
  const came: string[] = [];
  const subscription = await broker.subscribe('long-ids', { group: 'g' }, async ({ id }) => {
    came.push(id);
  });
  t.after(() => subscription.close());
  const long = 'é'.repeat(200);

  await assert.rejects(broker.publish([message('long-ids', long), message('long-ids', 'short')]), {
    code: 'BROKER_REJECTED',
    rejected: new Map([[long, 'the id has 400 bytes, and AMQP allows 255']]),
  });
  await eventually(
    () => came,
    ([id]) => id === 'short',
    'the other one came',
  );
});

test('a subscription whose queue is there with other properties says so', { skip }, async (t) => {
  const broker = connect('other-properties', 'classic');
  t.after(() => broker.close());
  await broker.subscribe('agreed', { group: 'g' }, async () => {});

  const second = connect('second', 'classic');
  t.after(() => second.close());
  await assert.rejects(
    second.subscribe('agreed', { group: 'g', concurrency: 4 }, async () => {}),
    {
      code: 'BROKER_UNAVAILABLE',
      message: /no longer serves the queue "g-agreed": .*x-single-active-consumer/s,
    },
  );
});

test('a new group begins when its queue would outlast a kill', { skip }, async (t) => {
  const broker = rabbitBroker({ amqp, url: server.url, clientId: 'settling', settleMs: 300 });
  t.after(() => broker.close());
  const begunMs = performance.now();
  await broker.subscribe('settling', { group: 'g' }, async () => {});

  // Never less: a second until a quorum queue is bound, and what was asked for.
  assert.ok(performance.now() - begunMs >= 1_299);
});

test('a quorum queue goes on counting deliveries over processes', { skip }, async (t) => {
  const seen: number[] = [];
  const first = connect('first');
  t.after(() => first.close());
  await first.subscribe(
    'counted',
    { group: 'g', redeliverMs: 60_000, maxRedeliverMs: 60_000 },
    async ({ delivery }) => {
      seen.push(delivery);
      throw new Error('never');
    },
  );
  const publisher = connect('publisher');
  t.after(() => publisher.close());
  await publisher.publish([message('counted', 'm')]);
  await eventually(
    () => seen.length,
    (count) => count > 0,
    'it is handed over',
  );
  await first.close();

  const second = connect('second');
  t.after(() => second.close());
  const delivered = new Promise<number>((resolve) => {
    void second.subscribe('counted', { group: 'g' }, async ({ delivery }) => resolve(delivery));
  });

  assert.deepEqual([seen, await delivered], [[1], 2]);
});

test('a broker that is closed while a subscription connects closes all the same', {
  skip,
}, async () => {
  const broker = connect('closed-early');
  const refused = assert.rejects(
    broker.subscribe('closed-early', { group: 'g' }, async () => {}),
    { message: `"closed-early" is no longer asked for: the broker's client was closed.` },
  );

  await endsSoon(broker.close());
  await refused;
});

test('a connection reset while the last handler is waited for does not keep it from closing', {
  skip,
}, async (t) => {
  const proxy = await tcpProxy(server.port);
  t.after(() => proxy.close());
  const broker = through(proxy.port, 'reset-at-the-end');
  const handling = Promise.withResolvers<void>();
  const finish = Promise.withResolvers<void>();
  t.after(() => {
    finish.resolve();
    return broker.close();
  });
  await broker.subscribe('reset-at-the-end', { group: 'g' }, () => {
    handling.resolve();
    return finish.promise;
  });
  await broker.publish([message('reset-at-the-end', 'm')]);
  await handling.promise;

  let closed = false;
  const closing = broker.close().then(() => {
    closed = true;
  });
  // Time enough to be told that nothing more will come; the handler is all it waits for then.
  await sleep(200);
  proxy.target(server.port);
  await sleep(50);
  assert.equal(closed, false);
  finish.resolve();

  await endsSoon(closing);
});

test('a server that hangs does not keep a broker from closing', { skip }, async (t) => {
  const broker = through(server.port, 'hanging', 300);
  await broker.subscribe('hanging', { group: 'g', concurrency: 2 }, async () => {});
  await broker.publish([message('hanging', 'm')]);
  server.process.signal('SIGSTOP');
  t.after(() => server.process.signal('SIGCONT'));

  await endsSoon(broker.close());
});

test('topics RabbitMQ keeps for itself, and options that cannot work, are refused by name', {
  skip,
}, async (t) => {
  const broker = connect('refused');
  t.after(() => broker.close());

  await assert.rejects(broker.publish([message('amq.mine', 'm')]), {
    rejected: new Map([['m', 'names that begin with amq. belong to RabbitMQ']]),
  });
  await assert.rejects(
    broker.subscribe('amq.mine', { group: 'g' }, async () => {}),
    {
      message: 'Cannot subscribe to "amq.mine": names that begin with amq. belong to RabbitMQ.',
    },
  );
  assert.throws(() => rabbitBroker({ amqp, url: 'http://127.0.0.1', clientId: 'c' }), {
    message: 'rabbitBroker.url must be a URL such as amqp://127.0.0.1:5672.',
  });
  assert.throws(() => rabbitBroker({ amqp, url: server.url, clientId: 'c', prefetch: 0 }), {
    message: 'rabbitBroker.prefetch must be a whole number from 1 to 10000, not 0.',
  });
  assert.throws(() => rabbitBroker({ amqp, url: server.url, clientId: 'c', settleMs: -1 }), {
    message: 'rabbitBroker.settleMs must be a whole number from 0 to 60000, not -1.',
  });
});

test('a quorum queue that would not last is refused before anything is made', () => {
  assert.throws(() => rabbitBroker({ amqp, url: 'amqp://h', clientId: 'c', durable: false }), {
    name: 'RangeError',
    message:
      'rabbitBroker.queueType quorum needs durable true and autoDelete false; other queues are classic.',
  });
});

function message(topic: string, id: string) {
  return { id, topic, key: undefined, body: Buffer.from('x'), headers: {} };
}

function through(port: number, clientId: string, timeoutMs = 5_000) {
  const url = `amqp://guest:guest@127.0.0.1:${port}`;
  const options = { queueType: 'classic', settleMs: 0, timeoutMs, reconnectMs: 100 } as const;
  return rabbitBroker({ amqp, url, clientId, ...options });
}

/** Much less than RabbitMQ's heartbeats take to find out, which is two minutes. */
async function endsSoon(closing: Promise<void>): Promise<void> {
  const late = new AbortController();
  const limit = sleep(30_000, 'it still waits', { signal: late.signal });
  try {
    assert.equal(await Promise.race([closing, limit]), undefined);
  } finally {
    late.abort();
    await limit.catch(() => {});
  }
}

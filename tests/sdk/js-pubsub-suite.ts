import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { DaprPubSubStatusEnum, type DaprServer } from '@dapr/dapr';
import type { Arrivals, JsPair } from './js-pair.ts';

const BROKER = 'pubsub-redis';
const { DROP, RETRY, SUCCESS } = DaprPubSubStatusEnum;
const ROUTES = {
  default: '/default',
  rules: [
    { match: 'event.type == "type-1"', path: '/type-1' },
    { match: 'event.type == "type-2"', path: '/type-2' },
  ],
};
const EVENT = {
  specversion: '1.0',
  type: 'com.github.pull.create',
  source: 'https://github.com/cloudevents/spec/pull',
  id: 'A234-1234-1234',
  data: 'Hello, world!',
  datacontenttype: 'text/plain',
};

/** Every kind of subscription that the SDK knows. */
export async function subscribeAll({ pubsub }: DaprServer, arrivals: Arrivals): Promise<void> {
  const keep = (name: string) => async (data: unknown, headers: object) => {
    arrivals.add(name, data, headers);
  };
  await pubsub.subscribe(BROKER, 'plain', keep('plain'));
  await pubsub.subscribe(BROKER, 'raw', keep('raw'), undefined, { rawPayload: true } as never);
  await pubsub.subscribe(BROKER, 'simple', keep('simple'), 'simple-route');
  await pubsub.subscribe(BROKER, 'slashed', keep('slashed'), '/leading-slash');
  await pubsub.subscribeWithOptions(BROKER, 'late', {});
  pubsub.subscribeToRoute(BROKER, 'late', '', keep('late'));
  await pubsub.subscribeWithOptions(BROKER, 'routed', { route: ROUTES });
  for (const route of ['type-1', 'type-2', 'default']) {
    pubsub.subscribeToRoute(BROKER, 'routed', route, keep(`routed ${route}`));
  }
  await pubsub.subscribeWithOptions(BROKER, 'status', {
    callback: async (data: unknown, headers: object) => {
      const count = arrivals.add('status', data, headers);
      if (data === 'twice') return count % 3 === 0 ? SUCCESS : RETRY;
      return data === 'drop' ? DROP : SUCCESS;
    },
    deadLetterTopic: 'dead',
  });
  await pubsub.subscribe(BROKER, 'dead', keep('dead'));
  await pubsub.subscribeBulk(BROKER, 'bulk', keep('bulk'), BULK);
  await pubsub.subscribeBulk(BROKER, 'bulk-raw', keep('bulk-raw'), {
    ...BULK,
    metadata: { rawPayload: true } as never,
  });
}

const BULK = { maxMessagesCount: 2, maxAwaitDurationMs: 50 };

export function pubsubSuite(of: () => JsPair): void {
  const publish = async (topic: string, data: object | string, options?: object) => {
    const { error } = await of().server.client.pubsub.publish(BROKER, topic, data, options);
    assert.equal(error, undefined);
  };

  test('texts, objects and CloudEvents arrive as what they were', async () => {
    const { arrivals, protocol } = of();
    await publish('plain', 'Hello World');
    await publish('plain', { hello: 'world' });
    await publish('plain', EVENT);
    const seen = await arrivals.wait('plain', 3);
    const { headers } = seen[0]!;
    assert.deepEqual(
      [
        seen.map(({ data }) => JSON.stringify(data)).sort(),
        headers.pubsubname,
        headers['content-type'],
      ],
      [
        ['"Hello World"', '"Hello, world!"', '{"hello":"world"}'],
        BROKER,
        protocol === 'HTTP' ? 'application/cloudevents+json' : 'application/grpc',
      ],
    );
  });

  test('a subscriber of raw payloads gets what was published, or the CloudEvent around it', async () => {
    const { arrivals } = of();
    const raw = { metadata: { rawPayload: 'true' } };
    // One after the other: nobody promises their order.
    await publish('raw', 'a text', raw);
    await arrivals.wait('raw', 1);
    await publish('raw', { hello: 'raw' }, raw);
    await arrivals.wait('raw', 2);
    await publish('raw', { hello: 'event' });
    const seen = await arrivals.data('raw', 3);
    const { data, topic, type, pubsubname } = seen[2] as Record<string, unknown>;
    assert.deepEqual(
      [seen.slice(0, 2), data, topic, type, pubsubname],
      [['a text', { hello: 'raw' }], { hello: 'event' }, 'raw', 'com.dapr.event.sent', BROKER],
    );
  });

  test('a raw payload is taken for the CloudEvent that its subscriber wants, data or not', async () => {
    const { arrivals, protocol } = of();
    await publish('simple', { hello: 'raw' }, { metadata: { rawPayload: 'true' } });
    const wanted = protocol === 'HTTP' ? { hello: 'raw' } : '';
    assert.deepEqual(await arrivals.data('simple', 1), [wanted]);
  });

  test('routes are found with a leading slash and without, and handlers that came later', async () => {
    const { arrivals } = of();
    await publish('slashed', 'a');
    await publish('late', 'b');
    assert.deepEqual(
      [await arrivals.data('slashed', 1), await arrivals.data('late', 1)],
      [['a'], ['b']],
    );
  });

  test('rules choose by the type of an event', async () => {
    const { arrivals } = of();
    for (const type of ['type-1', 'type-2', 'type-3']) {
      await publish('routed', { ...EVENT, id: type, type, data: type });
    }
    assert.deepEqual(
      await Promise.all(
        ['type-1', 'type-2', 'default'].map((route) => arrivals.data(`routed ${route}`, 1)),
      ),
      [['type-1'], ['type-2'], ['type-3']],
    );
  });

  test('SUCCESS ends it, RETRY brings it again, DROP makes it a dead letter', async () => {
    const { arrivals } = of();
    await publish('status', 'twice');
    await arrivals.wait('status', 3);
    await publish('status', 'success');
    await arrivals.wait('status', 4);
    await publish('status', 'drop');
    const dead = await arrivals.data('dead', 1);
    await sleep(400);
    assert.deepEqual(
      [await arrivals.data('status', 5), dead],
      [['twice', 'twice', 'twice', 'success', 'drop'], ['drop']],
    );
  });

  test('bulks are published and arrive, entry by entry', async () => {
    const { arrivals, client } = of();
    const before = arrivals.of('plain').length;
    const bulks = [
      ['one', 'two'],
      [{ hello: 1 }, { hello: 2 }],
      [
        { entryID: '1', event: 'three', contentType: 'text/plain' },
        { entryID: '2', event: { hello: 3 }, contentType: 'application/json' },
        { entryID: '3', event: EVENT, contentType: 'application/cloudevents+json' },
      ],
    ];
    for (const bulk of bulks) {
      const { failedMessages } = await client.pubsub.publishBulk(BROKER, 'plain', bulk);
      assert.deepEqual(failedMessages, []);
    }
    const seen = await arrivals.data('plain', before + 7);
    assert.deepEqual(
      seen
        .slice(before)
        .map((one) => JSON.stringify(one))
        .sort(),
      ['"Hello, world!"', '"one"', '"three"', '"two"', '{"hello":1}', '{"hello":2}', '{"hello":3}'],
    );
  });

  test('a bulk with an id twice fails as a whole', async () => {
    const { failedMessages } = await of().client.pubsub.publishBulk(BROKER, 'plain', [
      { entryID: '1', event: 'a', contentType: 'text/plain' },
      { entryID: '1', event: { b: 1 }, contentType: 'application/json' },
      { entryID: '3', event: 'c', contentType: 'text/plain' },
    ]);
    assert.equal(failedMessages.length, 3);
  });

  test('a bulk subscription gets events and raw payloads, each as either', async () => {
    const { arrivals, protocol } = of();
    const raw = { metadata: { rawPayload: 'true' } };
    const one = async (topic: string, n: number, options?: object) => {
      const before = arrivals.of(topic).length;
      await publish(topic, { n }, options);
      await arrivals.wait(topic, before + 1);
    };
    await one('bulk', 1);
    await one('bulk', 2);
    await one('bulk', 3, raw);
    await one('bulk-raw', 4, raw);
    await one('bulk-raw', 5);
    const [events, raws] = [await arrivals.data('bulk', 3), await arrivals.data('bulk-raw', 2)];
    const nothing = protocol === 'HTTP' ? undefined : '';
    assert.deepEqual(
      [events, raws.map((raw) => (raw as { data?: unknown }).data ?? raw)],
      [
        [{ n: 1 }, { n: 2 }, nothing],
        [{ n: 4 }, { n: 5 }],
      ],
    );
  });

  test('publishing to a broker that is not there is an error that says so', async () => {
    const { pubsub } = of().client;
    // Over HTTP the SDK answers with it, over gRPC it throws the same answer.
    const refused = (thrown: Awaited<ReturnType<typeof pubsub.publish>>) => thrown;
    const { error } = await pubsub.publish('nobody', 'plain', 'x').catch(refused);
    assert.match(error?.message ?? '', /pubsub nobody is not found/);
    const { failedMessages } = await pubsub.publishBulk('nobody', 'plain', ['x', 'y']);
    assert.equal(failedMessages.length, 2);
  });
}

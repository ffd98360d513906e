import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  eventually,
  type RabbitServer,
  rabbitServer,
  Unavailable,
  until,
} from '@holdfast/test-servers';
import * as amqp from 'amqplib';
import { bothMakes, type Make } from '../makes/both-makes.ts';
import type { Seen } from '../makes/echo-app.ts';
import { type Mesh, startMesh } from '../makes/mesh.ts';

const server = await rabbitServer();
if (server instanceof Unavailable) {
  if (process.env.CI === 'true') throw new Error(server.why);
  test('pubsub.rabbitmq, on what others declared', { skip: server.why }, () => {});
} else {
  after(() => server.process.remove());
  await bothMakes((make, executable) => conformance(make, executable, server));
}

/** Exchanges and queues that somebody else declared otherwise; and how many events are in hand, in which order. */
function conformance(make: Make, executable: string | undefined, { url }: RabbitServer): void {
  describe(`${make}, pubsub.rabbitmq on what others declared`, () => {
    const app = slowApp(make);
    let mesh: Mesh;
    let connection: amqp.ChannelModel;
    let channel: amqp.ConfirmChannel;
    before(async () => {
      connection = await amqp.connect(url);
      channel = await connection.createConfirmChannel();
      await channel.assertExchange(`other-kind-${make}`, 'direct', { durable: true });
      await channel.assertQueue('caller-other-queue', {
        durable: true,
        arguments: { 'x-max-length': 3 },
      });
      mesh = await startMesh(executable, {
        instead: app.instead,
        resources: {
          'plain.yaml': component('plain', url, {}),
          'mortal.yaml': component('mortal', url, { ttlInSeconds: '70' }),
          'one.yaml': component('one', url, { prefetchCount: '1' }),
          'single.yaml': component('single', url, { concurrencyMode: 'single' }),
          'direct.yaml': component('direct', url, { exchangeKind: 'direct' }),
          'confirmed.yaml': component('confirmed', url, { publisherConfirm: 'true' }),
        },
      });
      const health = `http://127.0.0.1:${mesh.port('caller')}/v1.0/healthz`;
      await until('it is ready', async () => (await fetch(health)).ok);
    });
    after(async () => {
      await mesh?.stop();
      await channel.deleteQueue('caller-other-queue').catch(() => {});
      await connection.close();
    });

    const publish = async (broker: string, topic: string, body: string, query = '') => {
      const to = `http://127.0.0.1:${mesh.port('caller')}/v1.0/publish/${broker}/${topic}${query}`;
      const headers = { 'content-type': 'application/json' };
      const answer = await fetch(to, { method: 'POST', headers, body });
      return [answer.status, await answer.text()] as const;
    };

    test('an exchange that is there with another kind takes nothing, and the answer says why', async () => {
      const [status, text] = await publish('plain', `other-kind-${make}`, '1');
      assert.equal(status, 500);
      assert.match(text, /ERR_PUBSUB_PUBLISH_MESSAGE.*inequivalent arg 'type' for exchange/);
      assert.equal((await publish('plain', 'well', '1'))[0], 204);
    });

    // daprd is not ready for a minute then, and connects anew each three seconds, all of the component with it.
    const skip = make === 'daprd';
    test('a queue that is there with other properties has no subscription, and the others have theirs', {
      skip,
    }, async () => {
      assert.equal((await publish('plain', 'other-queue', '1'))[0], 204);
      assert.equal((await publish('plain', 'well', '"x"'))[0], 204);
      await app.arrived('well', 1);
      await sleep(300);
      assert.equal((await app.arrived('other-queue', 0)).length, 0);
    });

    test('the time to live of a component is that of each event', async () => {
      const { queue } = await channel.assertQueue('', { exclusive: true });
      await channel.assertExchange('mortals', 'fanout', { durable: true, autoDelete: false });
      await channel.bindQueue(queue, 'mortals', '');
      await publish('mortal', 'mortals', '1');
      await publish('mortal', 'mortals', '2', '?metadata.ttlInSeconds=5');
      const expirations = [];
      for (let n = 0; n < 2; n += 1) {
        const get = () => channel.get(queue, { noAck: true });
        const message = (await eventually(get, Boolean, 'it comes')) as amqp.GetMessage;
        expirations.push(message.properties.expiration);
      }
      assert.deepEqual(expirations, ['70000', '5000']);
    });

    for (const [broker, topic] of [
      ['one', 'prefetched'],
      ['single', 'in-turn'],
    ] as const) {
      test(`${broker}: one event at a time is in the application`, async () => {
        for (let n = 0; n < 4; n += 1) await publish(broker, topic, String(n));
        const came = await app.arrived(topic, 4);
        assert.deepEqual(
          [app.most(topic), came.map(({ body }) => JSON.parse(body).data)],
          [1, [0, 1, 2, 3]],
        );
      });
    }

    test('of what waits, the event of the highest priority comes first', async () => {
      await publish('one', 'priority', '"first"');
      await app.arrived('priority', 1);
      for (const [body, priority] of [
        ['"low"', 1],
        ['"high"', 9],
      ] as const) {
        await publish('one', 'priority', body, `?metadata.priority=${priority}`);
      }
      const came = await app.arrived('priority', 3);
      const named = came.map(({ body }) => JSON.parse(body).data);
      assert.deepEqual(named, ['first', 'high', 'low']);
    });

    test('an exchange of kind direct hands an event to the queues of its routing key', async () => {
      await publish('direct', 'keyed', '1', '?metadata.routingKey=b');
      await publish('direct', 'keyed', '2', '?metadata.routingKey=a');
      const came = await app.arrived('keyed', 1);
      await sleep(200);
      assert.deepEqual(
        came.map(({ body }) => JSON.parse(body).data),
        [2],
      );
    });

    test('with publisherConfirm an event is answered when RabbitMQ has it', async () => {
      assert.deepEqual(await publish('confirmed', 'sure', '1'), [204, '']);
      await app.arrived('sure', 1);
    });
  });
}

const SLOW_MS = 150;

/** Takes a moment over each event, and counts how many it has at a time. */
function slowApp(make: Make) {
  const wanted: readonly (readonly [string, string, Readonly<Record<string, string>>?])[] = [
    ...(make === 'daprd' ? [] : [['plain', 'other-queue'] as const]),
    ['plain', 'well'],
    ['one', 'prefetched'],
    ['one', 'priority', { maxPriority: '10' }],
    ['single', 'in-turn'],
    ['direct', 'keyed', { routingKey: 'a' }],
    ['confirmed', 'sure'],
  ];
  const received = new Map<string, Seen[]>();
  const [now, most] = [new Map<string, number>(), new Map<string, number>()];
  const add = (topic: string, more: number) => {
    const count = (now.get(topic) ?? 0) + more;
    now.set(topic, count);
    most.set(topic, Math.max(most.get(topic) ?? 0, count));
  };
  return {
    instead(seen: Seen) {
      if (seen.url === '/dapr/subscribe') {
        const list = wanted.map(([pubsubname, topic, metadata]) => ({
          ...{ pubsubname, topic, route: `/on-${topic}`, metadata },
        }));
        return { status: 200, body: JSON.stringify(list) };
      }
      const topic = /^\/on-(.+)$/.exec(seen.url)?.[1];
      if (topic === undefined) return undefined;
      received.set(topic, [...(received.get(topic) ?? []), seen]);
      add(topic, 1);
      // Before the answer, so that the next cannot be there first.
      setTimeout(() => add(topic, -1), SLOW_MS);
      return { status: 200, body: '', afterMs: SLOW_MS + 20 };
    },
    most: (topic: string) => most.get(topic),
    arrived: (topic: string, count: number): Promise<readonly Seen[]> =>
      eventually(
        () => received.get(topic) ?? [],
        (all) => all.length >= count,
        `${count} come to ${topic}`,
      ),
  };
}

const component = (name: string, url: string, metadata: Readonly<Record<string, string>>) => `
apiVersion: dapr.io/v1alpha1
kind: Component
metadata: { name: ${name} }
spec:
  type: pubsub.rabbitmq
  version: v1
  metadata:
${Object.entries({
  connectionString: url,
  durable: 'true',
  deletedWhenUnused: 'false',
  ...metadata,
})
  .map(([item, value]) => `    - { name: ${item}, value: "${value}" }`)
  .join('\n')}
scopes: [caller]
`;

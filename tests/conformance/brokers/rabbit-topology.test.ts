import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  eventually,
  type RabbitServer,
  rabbitServer,
  suiteWith,
  until,
} from '@holdfast/test-servers';
import * as amqp from 'amqplib';
import { bothMakes, type Make } from '../makes/both-makes.ts';
import type { Seen } from '../makes/echo-app.ts';
import { type Mesh, startMesh } from '../makes/mesh.ts';
import { event } from './event-app.ts';

await suiteWith('pubsub.rabbitmq, exchanges and queues', rabbitServer, async (server) => {
  await bothMakes((make, executable) => conformance(make, executable, server));
});

/** What the metadata of a component, a subscription and an event make of exchanges, queues and messages. */
function conformance(make: Make, executable: string | undefined, { url }: RabbitServer): void {
  describe(`${make}, exchanges and queues of pubsub.rabbitmq`, () => {
    const app = topicalApp(make);
    let mesh: Mesh;
    let connection: amqp.ChannelModel;
    before(async () => {
      connection = await amqp.connect(url);
      mesh = await startMesh(executable, {
        instead: app.instead,
        resources: {
          'plain.yaml': component('plain', url, {}),
          'topical.yaml': component('topical', url, LASTING, { exchangeKind: 'topic' }),
          'bury.yaml': component('bury', url, LASTING, { enableDeadLetter: 'true', maxLen: '50' }),
          'again.yaml': component('again', url, LASTING, { requeueInFailure: 'true' }),
          'forget.yaml': component('forget', url, LASTING, { autoAck: 'true' }),
          'telling.yaml': component('telling', url, LASTING, {
            publishMessagePropertiesToMetadata: 'true',
            concurrencyMode: 'single',
          }),
        },
      });
      const health = `http://127.0.0.1:${mesh.port('caller')}/v1.0/healthz`;
      await until('it is ready', async () => (await fetch(health)).ok);
    });
    after(async () => {
      await mesh?.stop();
      await connection.close();
    });

    const publish = async (broker: string, topic: string, body: string, query = '') => {
      const to = `http://127.0.0.1:${mesh.port('caller')}/v1.0/publish/${broker}/${topic}${query}`;
      const headers = { 'content-type': 'application/json' };
      const answer = await fetch(to, { method: 'POST', headers, body });
      assert.equal(answer.status, 204, await answer.text());
    };
    /** Declared again as it should be: RabbitMQ refuses whatever is different. */
    const isDeclared = async (
      queue: string,
      how: { readonly autoDelete: boolean; readonly arguments: Record<string, unknown> },
    ) => {
      const channel = await connection.createChannel();
      channel.on('error', () => {});
      await channel.assertQueue(queue, { durable: true, ...how });
      await channel.close();
    };

    test('where nothing is said, exchange and queue outlive the server and go with their last user', async () => {
      const channel = await connection.createChannel();
      await channel.assertExchange('p-plain', 'fanout', { durable: true, autoDelete: true });
      await channel.close();
      await isDeclared('caller-p-plain', { autoDelete: true, arguments: CLASSIC });
    });

    test('an exchange of kind topic hands an event to the queues whose keys fit its routing key', async () => {
      for (const [key, body] of Object.entries({
        'orders.new': '1',
        'nobody.wants': '2',
        bills: '3',
        'orders.old.paid': '4',
      })) {
        await publish('topical', 't-keyed', body, `?metadata.routingKey=${key}`);
      }
      const came = await app.arrived('t-keyed', 3);
      assert.deepEqual(came.map(dataOf).toSorted(), [1, 3, 4]);
    });

    test('a subscription names its queue, and says what it is like', async () => {
      const first = { 'x-max-priority': 5 };
      await isDeclared('own-queue', { autoDelete: false, arguments: { ...CLASSIC, ...first } });
      const quorum = { 'x-queue-type': 'quorum', 'x-single-active-consumer': true };
      await isDeclared('caller-t-quorum', { autoDelete: false, arguments: quorum });
      await publish('topical', 't-quorum', '1');
      assert.deepEqual((await app.arrived('t-quorum', 1)).map(dataOf), [1]);
    });

    const limited = {
      skip:
        make === 'daprd' &&
        'daprd never subscribes then: its driver does not take the kind of number that it makes of these',
    };
    test('a subscription limits its queue', limited, async () => {
      const limits = { 'x-max-length': 7, 'x-max-length-bytes': 7000 };
      const args = { ...CLASSIC, ...limits };
      await isDeclared('caller-t-limited', { autoDelete: false, arguments: args });
    });

    test('what an event says of itself are properties of its message', async () => {
      const channel = await connection.createChannel();
      await channel.assertExchange('p-props', 'fanout', { durable: true, autoDelete: true });
      const { queue } = await channel.assertQueue('', { exclusive: true });
      await channel.bindQueue(queue, 'p-props', '');
      const said = {
        ...{ priority: '3', ttlInSeconds: '60', messageID: 'm-1', correlationID: 'c-1' },
        ...{ type: 'order', contentType: 'text/mine' },
      };
      const query = new URLSearchParams();
      for (const [name, value] of Object.entries(said)) query.set(`metadata.${name}`, value);
      await publish('plain', 'p-props', '1', `?${query}`);
      await publish('plain', 'p-props', '2', '?metadata.ttl=1m30s');
      const [first, second] = [await take(channel, queue), await take(channel, queue)];
      const { priority, expiration, messageId, correlationId, type, contentType } =
        first.properties;
      assert.deepEqual(
        [priority, expiration, messageId, correlationId, type, contentType],
        [3, '60000', 'm-1', 'c-1', 'order', 'text/mine'],
      );
      assert.deepEqual(
        [second.properties.expiration, second.properties.contentType],
        ['90000', 'text/plain'],
      );
      // RabbitMQ sees to it, and the event itself need not say when it is over.
      assert.equal(JSON.parse(String(first.content)).expiration, undefined);
      await channel.close();
    });

    test('with enableDeadLetter, what the application fails over is in a queue for such', async () => {
      const dead = { 'x-max-length': 50, 'x-queue-mode': 'lazy' };
      await isDeclared('dlq-caller-b-failing', { autoDelete: false, arguments: dead });
      const args = { ...CLASSIC, 'x-max-length': 50 };
      const to = { 'x-dead-letter-exchange': 'dlx-caller-b-failing' };
      await isDeclared('caller-b-failing', { autoDelete: false, arguments: { ...args, ...to } });
      await publish('bury', 'b-failing', '1');
      const channel = await connection.createChannel();
      const buried = await take(channel, 'dlq-caller-b-failing');
      assert.equal(JSON.parse(String(buried.content)).data, 1);
      assert.equal((await app.arrived('b-failing', 1)).length, 1);
      await channel.close();
    });

    test('with requeueInFailure it is handed over again until it is taken', async () => {
      await publish('again', 'a-flaky', '1');
      await app.arrived('a-flaky', 3);
    });

    test('with autoAck it is done with, whatever the application says', async () => {
      await publish('forget', 'f-failing', '1');
      await app.arrived('f-failing', 1);
      await sleep(500);
      assert.equal((await app.arrived('f-failing', 1)).length, 1);
      const channel = await connection.createChannel();
      assert.equal((await channel.checkQueue('caller-f-failing')).messageCount, 0);
      await channel.close();
    });

    test('with publishMessagePropertiesToMetadata the application hears of properties and headers', async () => {
      const channel = await connection.createConfirmChannel();
      const seen = (await app.arrived('e-early', 0)).length;
      channel.publish('e-early', '', Buffer.from(event('early')), {
        ...{ messageId: 'm-2', correlationId: 'c-2', type: 't', contentType: 'text/x' },
        headers: { mine: '7' },
      });
      await channel.waitForConfirms();
      const { headers } = (await app.arrived('e-early', seen + 1)).at(-1)!;
      const names = ['messageid', 'correlationid', 'type', 'contenttype', 'mine'];
      assert.deepEqual(
        names.map((name) => headers[`metadata.${name}`]),
        ['m-2', 'c-2', 't', 'text/x', '7'],
      );
      await channel.close();
    });
  });
}

const CLASSIC = { 'x-queue-type': 'classic' };
const LASTING = { durable: 'true', deletedWhenUnused: 'false' };

const dataOf = ({ body }: Seen): unknown => JSON.parse(body).data;

async function take(channel: amqp.Channel, queue: string): Promise<amqp.GetMessage> {
  const get = () => channel.get(queue, { noAck: true });
  return (await eventually(get, Boolean, `something comes to ${queue}`)) as amqp.GetMessage;
}

/** Subscribes with metadata; fails over all of a topic that ends in `failing`, and twice over one that ends in `flaky`. */
function topicalApp(make: Make) {
  const wanted: readonly (readonly [string, string, Readonly<Record<string, string>>?])[] = [
    ['plain', 'p-plain'],
    ['topical', 't-keyed', { routingKey: 'orders.#,bills' }],
    ['topical', 't-named', { queueName: 'own-queue', maxPriority: '5' }],
    ['topical', 't-quorum', { queueType: 'quorum', singleActiveConsumer: 'true' }],
    ['bury', 'b-failing'],
    ['again', 'a-flaky'],
    ['forget', 'f-failing'],
    ['telling', 'e-early'],
  ];
  const limited = ['topical', 't-limited', { maxLen: '7', maxLenBytes: '7000' }] as const;
  const all = make === 'daprd' ? wanted : [...wanted, limited];
  const received = new Map<string, Seen[]>();
  const here = (topic: string) => received.get(topic) ?? [];
  return {
    instead(seen: Seen) {
      if (seen.url === '/dapr/subscribe') {
        const list = all.map(([pubsubname, topic, metadata]) => ({
          ...{ pubsubname, topic, route: `/on-${topic}`, metadata },
        }));
        return { status: 200, body: JSON.stringify(list) };
      }
      const topic = /^\/on-(.+)$/.exec(seen.url)?.[1];
      if (topic === undefined) return undefined;
      received.set(topic, [...here(topic), seen]);
      const fails =
        topic.endsWith('failing') || (topic.endsWith('flaky') && here(topic).length < 3);
      return { status: fails ? 503 : 200, body: '' };
    },
    arrived: (topic: string, count: number): Promise<readonly Seen[]> =>
      eventually(
        () => here(topic),
        (all) => all.length >= count,
        `${count} come to ${topic}`,
      ),
  };
}

const component = (
  name: string,
  url: string,
  ...metadata: readonly Readonly<Record<string, string>>[]
) => `
apiVersion: dapr.io/v1alpha1
kind: Component
metadata: { name: ${name} }
spec:
  type: pubsub.rabbitmq
  version: v1
  metadata:
    - { name: connectionString, value: "${url}" }
${metadata
  .flatMap((some) => Object.entries(some))
  .map(([item, value]) => `    - { name: ${item}, value: "${value}" }`)
  .join('\n')}
scopes: [caller]
`;

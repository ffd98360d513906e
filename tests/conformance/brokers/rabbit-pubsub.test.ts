import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type RabbitServer, rabbitServer, suiteWith, until } from '@holdfast/test-servers';
import * as amqp from 'amqplib';
import { bothMakes, type Make } from '../makes/both-makes.ts';
import { type Mesh, startMesh } from '../makes/mesh.ts';
import { event, eventApp } from './event-app.ts';

await suiteWith('pubsub.rabbitmq', rabbitServer, async (server) => {
  await bothMakes((make, executable) => conformance(make, executable, server));
});

/** Both makes declare the same exchanges and queues, so that they can share a RabbitMQ, and the events of a group. */
function conformance(make: Make, executable: string | undefined, { url }: RabbitServer): void {
  describe(`${make}, pubsub.rabbitmq`, () => {
    const app = eventApp();
    let mesh: Mesh;
    let connection: amqp.ChannelModel;
    let channel: amqp.ConfirmChannel;
    before(async () => {
      connection = await amqp.connect(url);
      channel = await connection.createConfirmChannel();
      mesh = await startMesh(executable, {
        instead: app.instead,
        resources: { 'rabbit.yaml': component(url) },
      });
      const health = `http://127.0.0.1:${mesh.port('caller')}/v1.0/healthz`;
      await until('it is ready', async () => (await fetch(health)).ok);
    });
    after(async () => {
      await mesh?.stop();
      await connection.close();
    });

    const publish = async (topic: string, body: string) => {
      const to = `http://127.0.0.1:${mesh.port('caller')}/v1.0/publish/broker/${topic}`;
      const headers = { 'content-type': 'application/json' };
      const answer = await fetch(to, { method: 'POST', headers, body });
      return [answer.status, await answer.text()] as const;
    };

    test('an event is a message of the exchange that is named for its topic', async () => {
      const { queue } = await channel.assertQueue('', { exclusive: true });
      await channel.bindQueue(queue, 'layout', '');
      const delivered = new Promise<amqp.ConsumeMessage | null>((resolve) => {
        void channel.consume(queue, resolve, { noAck: true });
      });
      assert.deepEqual(await publish('layout', '{"n":1}'), [204, '']);
      const message = await delivered;
      await app.arrived('layout', 1);
      const { data, topic, source } = JSON.parse(String(message?.content));
      assert.deepEqual([data, topic, source], [{ n: 1 }, 'layout', 'caller']);
    });

    test('what another wrote into the exchange arrives', async () => {
      const seen = (await app.arrived('early', 0)).length;
      channel.publish('early', '', Buffer.from(event('early')), { headers: { mine: '7' } });
      await channel.waitForConfirms();
      const last = (await app.arrived('early', seen + 1)).at(-1)!;
      // daprd leaves a message's headers behind; ours hands them on, as both do for Redis and Kafka.
      const mine = make === 'daprd' ? undefined : '7';
      assert.deepEqual([JSON.parse(last.body).data, last.headers.mine], ['early', mine]);
    });

    test('the queue of a group is CONSUMERID-TOPIC', async () => {
      const { consumerCount, messageCount } = await channel.checkQueue('caller-layout');
      assert.deepEqual([consumerCount, messageCount], [1, 0]);
    });

    test('what the application fails over is handed over again until it is taken', async () => {
      await publish('flaky', '1');
      // daprd rejects it without requeueing, and the event is gone (requeueInFailure is false by
      // default; with true it comes again at once, for ever). Ours keeps it, and waits in between.
      const wanted = make === 'daprd' ? 1 : 3;
      const attempts = await app.arrived('flaky', wanted);
      await sleep(500);
      assert.equal((await app.arrived('flaky', wanted)).length, wanted);
      assert.equal(new Set(attempts.map(({ body }) => JSON.parse(body).id)).size, 1);
    });

    for (const topic of ['dropped', 'unknown']) {
      test(`${topic}: what nobody will ever want is done with`, async () => {
        await publish(topic, '1');
        await app.arrived(topic, 1);
        await sleep(500);
        assert.equal((await app.arrived(topic, 1)).length, 1);
      });
    }
  });
}

const component = (url: string) => `
apiVersion: dapr.io/v1alpha1
kind: Component
metadata: { name: broker }
spec:
  type: pubsub.rabbitmq
  version: v1
  metadata:
    - { name: connectionString, value: "${url}" }
    - { name: durable, value: "true" }
    - { name: deletedWhenUnused, value: "false" }
scopes: [caller]
`;

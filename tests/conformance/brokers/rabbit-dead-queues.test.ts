import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { eventually, type RabbitServer, rabbitServer, suiteWith } from '@holdfast/test-servers';
import * as amqp from 'amqplib';
import { type AppMesh, startAppMesh } from '../makes/app-mesh.ts';
import { bothMakes, type Make } from '../makes/both-makes.ts';
import { componentYaml } from '../makes/component-yaml.ts';
import type { Seen } from '../makes/echo-app.ts';

await suiteWith('pubsub.rabbitmq, queues of dead letters', rabbitServer, async (server) => {
  await bothMakes((make, executable) => conformance(make, executable, server));
});

/** dapr/components-contrib#4289 and #3962: queues that are replicated, on RabbitMQ 4 the only ones. */
function conformance(make: Make, executable: string | undefined, server: RabbitServer): void {
  const skip = make === 'daprd' && 'RabbitMQ refuses what it declares: no subscription, for ever';
  describe(`${make}, queues of dead letters of pubsub.rabbitmq`, { skip }, () => {
    const vhost = `quorum-${make}`;
    let connection: amqp.ChannelModel;
    let channel: amqp.Channel;
    let mesh: AppMesh<'caller'>;
    before(async () => {
      await server.control('add_vhost', vhost, '--default-queue-type', 'quorum');
      await server.control('set_permissions', '-p', vhost, 'guest', '.*', '.*', '.*');
      const connectionString = `${server.url}/${vhost}`;
      connection = await amqp.connect(connectionString);
      channel = await connection.createChannel();
      await channel.assertQueue('dlq-caller-declared', {
        arguments: { 'x-queue-type': 'quorum', 'x-max-length': 7 },
      });
      const lasting = { durable: 'true', deletedWhenUnused: 'false', enableDeadLetter: 'true' };
      const resources = {
        'bus.yaml': componentYaml('bus', 'pubsub.rabbitmq', { connectionString, ...lasting }),
      };
      mesh = await startAppMesh(executable, { caller: { resources } }, undefined, failingApp);
      await mesh.healthy('caller');
    });
    after(async () => {
      await mesh?.stop();
      await connection?.close();
    });

    for (const [topic, title] of [
      ['declared', 'one that somebody declared is used as it is'],
      ['made', "one that is made is of the virtual host's kind"],
    ] as const) {
      test(title, async () => {
        const at = `http://127.0.0.1:${mesh.port('caller')}/v1.0/publish/bus/${topic}`;
        assert.equal((await fetch(at, { method: 'POST', body: '1' })).status, 204);
        const queue = `dlq-caller-${topic}`;
        const get = () => channel.get(queue, { noAck: true });
        await eventually(get, Boolean, `a dead letter comes to ${queue}`);
        const queues = await server.control('list_queues', '-p', vhost, 'name', 'type');
        assert.match(queues, new RegExp(`^${queue}\\s.*quorum`, 'm'));
      });
    }
  });
}

/** Takes nothing. */
function failingApp({ url }: Seen) {
  if (url !== '/dapr/subscribe')
    return url.startsWith('/on') ? { status: 503, body: '' } : undefined;
  const metadata = { queueType: 'quorum' };
  const all = ['declared', 'made'].map((topic) => ({
    ...{ pubsubname: 'bus', topic, route: `/on-${topic}`, metadata },
  }));
  return { status: 200, body: JSON.stringify(all) };
}

import { describe, test } from 'node:test';
import {
  eventually,
  type RabbitServer,
  rabbitServer,
  suiteWith,
  until,
} from '@holdfast/test-servers';
import * as amqp from 'amqplib';
import { bothMakes, type Make } from '../makes/both-makes.ts';
import { componentYaml } from '../makes/component-yaml.ts';
import { startFlagged } from '../makes/flagged.ts';
import { heldApp } from '../makes/held-app.ts';

await suiteWith('pubsub.rabbitmq at the end', rabbitServer, async (server) => {
  await bothMakes((make, executable) => conformance(make, executable, server));
});

/** What was in hand at the end and failed is no dead letter, and not lost: another has it. */
function conformance(make: Make, executable: string | undefined, server: RabbitServer): void {
  const skip = make === 'daprd' && '1.18.0 drops one now and then, mended in 1.18.5';
  describe(`${make}, what fails over RabbitMQ while the sidecar ends`, { skip }, () => {
    for (const enableDeadLetter of ['true', 'false'] as const) {
      test(`is there for others, with enableDeadLetter ${enableDeadLetter}`, async (t) => {
        const topic = `last-${make}-${enableDeadLetter}`;
        const app = await heldApp(t, {
          answers: { '/on': { status: 503 } },
          subscriptions: [{ pubsubname: 'bus', topic, route: '/on' }],
        });
        const sidecar = await startFlagged(executable, {
          flags: { 'app-port': app.port, 'dapr-graceful-shutdown-seconds': 30 },
          resources: {
            'bus.yaml': componentYaml('bus', 'pubsub.rabbitmq', {
              ...{ connectionString: server.url, durable: 'true', deletedWhenUnused: 'false' },
              enableDeadLetter,
            }),
          },
        });
        t.after(() => sidecar.stop());
        const connection = await amqp.connect(server.url);
        t.after(() => connection.close());
        const channel = await connection.createChannel();
        const at = `http://127.0.0.1:${sidecar.ports.http}/v1.0/publish/bus/${topic}`;
        await eventually(
          async () => (await fetch(at, { method: 'POST', body: '1' })).status,
          (status) => status === 204,
          'it is published',
        );
        await app.called;
        sidecar.child.kill('SIGTERM');
        await until('it ends', () => /shutting|Blocking|ending/i.test(sidecar.said()));
        app.release();
        await sidecar.exited;
        // What was not acknowledged is back a moment after the connection has gone.
        const inQueue = async () => (await channel.checkQueue(`probe-${topic}`)).messageCount;
        await until('it is in its queue', async () => (await inQueue()) === 1);
      });
    }
  });
}

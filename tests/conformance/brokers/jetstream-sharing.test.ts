import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type NatsServer, natsServer, suiteWith, until } from '@holdfast/test-servers';
import { type JetStreamManager, jetstreamManager } from '@nats-io/jetstream';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { bothMakes } from '../makes/both-makes.ts';
import { type Mesh, startMesh } from '../makes/mesh.ts';
import { event } from './event-app.ts';

await suiteWith('pubsub.jetstream, shared', natsServer, async (server) => {
  await bothMakes((make, executable) => {
    const pairs = [
      [make, 'holdfast'],
      ['holdfast', make],
    ] as const;
    sharing(
      make === 'holdfast' ? pairs.slice(0, 1) : pairs,
      (one) => (one === 'daprd' ? executable : undefined),
      server,
    );
  }, 'pubsub/jetstream');
});

/** Of two members the first makes the consumer, the second joins it. */
function sharing(
  pairs: readonly (readonly [string, string])[],
  executableOf: (make: string) => string | undefined,
  { url }: NatsServer,
): void {
  for (const [first, second] of pairs) {
    describe(`pubsub.jetstream, shared by ${first} and then ${second}`, () => {
      const subject = `shared-${first}-${second}`;
      const meshes: Mesh[] = [];
      const arrived: string[][] = [];
      let connection: NatsConnection;
      let manager: JetStreamManager;
      before(async () => {
        connection = await connect({ servers: url });
        manager = await jetstreamManager(connection);
        await manager.streams.add({ name: subject, subjects: [subject] });
        for (const make of [first, second]) {
          const here: string[] = [];
          arrived.push(here);
          meshes.push(await member(executableOf(make), url, subject, here));
        }
      });
      after(async () => {
        for (const mesh of meshes) await mesh.stop();
        await connection.close();
      });

      test('each event goes to one of them, and both have some', async () => {
        const client = manager.jetstream();
        const sent = Array.from({ length: 60 }, (_, n) => String(n));
        for (const id of sent) await client.publish(subject, event(id));
        await until('all have come', () => arrived.flat().length >= 60);
        await sleep(300);
        assert.deepEqual(
          arrived.flat().toSorted((a, b) => Number(a) - Number(b)),
          sent,
        );
        assert.ok(arrived.every(({ length }) => length > 0));
      });

      test('there is one consumer', async () => {
        const names = [];
        for await (const { config, name } of manager.consumers.list(subject)) {
          names.push([name, config.deliver_group]);
        }
        assert.deepEqual(names, [['members', 'queue']]);
      });
    });
  }
}

async function member(
  executable: string | undefined,
  url: string,
  subject: string,
  arrived: string[],
): Promise<Mesh> {
  const mesh = await startMesh(executable, {
    instead({ body, url: path }) {
      if (path === '/dapr/subscribe') {
        const wanted = [{ pubsubname: 'broker', topic: subject, route: '/on-shared' }];
        return { status: 200, body: JSON.stringify(wanted) };
      }
      if (path !== '/on-shared') return undefined;
      arrived.push(String(JSON.parse(body).data));
      return { status: 200, body: '' };
    },
    resources: {
      'jetstream.yaml': `
apiVersion: dapr.io/v1alpha1
kind: Component
metadata: { name: broker }
spec:
  type: pubsub.jetstream
  version: v1
  metadata:
    - { name: natsURL, value: "${url}" }
    - { name: durableName, value: members }
    - { name: queueGroupName, value: queue }
scopes: [caller]
`,
    },
  });
  const health = `http://127.0.0.1:${mesh.port('caller')}/v1.0/healthz`;
  await until('it is ready', async () => (await fetch(health)).ok);
  return mesh;
}

import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type NatsServer, natsServer, suiteWith, until } from '@holdfast/test-servers';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { type AppMesh, startAppMesh } from '../makes/app-mesh.ts';
import { bothMakes, type Make } from '../makes/both-makes.ts';
import { componentYaml } from '../makes/component-yaml.ts';
import { subscriberApp } from './subscriber-app.ts';

const folder = await mkdtemp(path.join(tmpdir(), 'holdfast-nats-'));
after(() => rm(folder, { recursive: true, force: true }));
const file = path.join(folder, 'users.conf');
await writeFile(
  file,
  `authorization: { users: [
  { user: admin, password: p }
  { user: sidecar, password: p, permissions: { publish: { deny: "secret.>" } } }
] }
`,
);

await suiteWith(
  'pubsub.jetstream, limits',
  () => natsServer(['-c', file]),
  async (server) => {
    await bothMakes(
      (make, executable) => conformance(make, executable, server),
      'pubsub/jetstream',
    );
  },
);

function conformance(make: Make, executable: string | undefined, { port }: NatsServer): void {
  describe(`${make}, pubsub.jetstream, limits`, () => {
    const subject = `free.${make}`;
    const app = subscriberApp([{ topic: subject }]);
    let admin: NatsConnection;
    let mesh: AppMesh<'caller'>;
    before(async () => {
      admin = await connect({ servers: `127.0.0.1:${port}`, user: 'admin', pass: 'p' });
      const { streams } = await jetstreamManager(admin);
      await streams.add({ name: make, subjects: [subject, `secret.${make}`] });
      const metadata = {
        ...{ natsURL: `nats://sidecar:p@127.0.0.1:${port}`, durableName: make },
        ...{ maxDeliver: '-1', maxAckPending: '-1' },
      };
      mesh = await startAppMesh(executable, {
        caller: {
          appPort: await app.start(),
          resources: { 'nats.yaml': componentYaml('broker', 'pubsub.jetstream', metadata) },
        },
      });
      await mesh.healthy('caller');
    });
    after(async () => {
      await mesh?.stop();
      await app.close();
      await admin?.close();
    });

    const publish = async (topic: string) => {
      const at = `http://127.0.0.1:${mesh.port('caller')}/v1.0/publish/broker/${topic}`;
      const answer = await fetch(at, { method: 'POST', body: 'it' });
      return [answer.status, await answer.text()] as const;
    };

    test('-1 is no limit', async () => {
      assert.deepEqual(await publish(subject), [204, '']);
      await until('it has come', () => app.texts(subject).has('it'));
      const { consumers } = await jetstreamManager(admin);
      const { config } = await consumers.info(make, make);
      assert.deepEqual([config.max_deliver, config.max_ack_pending], [-1, -1]);
    });

    test('a subject that the user may not publish to', async () => {
      const [status, text] = await publish(`secret.${make}`);
      assert.equal(status, 500);
      // daprd waits for five seconds, and does not hear why.
      const why = make === 'daprd' ? /nats: timeout/ : /Permissions Violation for Publish to/;
      assert.match(JSON.parse(text).message, why);
    });

    test('what it may is published all the same', async () => {
      assert.deepEqual(await publish(subject), [204, '']);
    });
  });
}

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type NatsServer, natsServer, suiteWith, until } from '@holdfast/test-servers';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { type AppMesh, startAppMesh } from '../makes/app-mesh.ts';
import { bothMakes, type Make } from '../makes/both-makes.ts';
import { componentYaml } from '../makes/component-yaml.ts';
import { type EchoApp, startEchoApp } from '../makes/echo-app.ts';

const bulkSubscribe = { enabled: true, maxMessagesCount: 10, maxAwaitDurationMs: 500 };

/** By topic: what its component says, and its subscription. */
const TOPICS = {
  paced: { metadata: { maxAckPending: '2', concurrency: 'parallel' }, bulk: {} },
  alone: { metadata: {}, bulk: { bulkSubscribe } },
  many: { metadata: { concurrency: 'parallel' }, bulk: { bulkSubscribe } },
} as const;

type Topic = keyof typeof TOPICS;

await suiteWith(
  'pubsub.jetstream, several at once',
  () => natsServer(),
  async (server) => {
    await bothMakes(
      (make, executable) => conformance(make, executable, server),
      'pubsub/jetstream',
    );
  },
);

/** dapr/components-contrib#3922 and #3656. */
function conformance(make: Make, executable: string | undefined, { port }: NatsServer): void {
  describe(`${make}, pubsub.jetstream, several at once`, () => {
    const app = countingApp();
    let admin: NatsConnection;
    let mesh: AppMesh<'caller'>;
    before(async () => {
      admin = await connect({ servers: `127.0.0.1:${port}` });
      const { streams } = await jetstreamManager(admin);
      await streams.add({ name: make, subjects: Object.keys(TOPICS) });
      const files = Object.entries(TOPICS).map(([topic, { metadata }]) => [
        `${topic}.yaml`,
        componentYaml(topic, 'pubsub.jetstream', {
          ...{ natsURL: `nats://127.0.0.1:${port}`, durableName: topic, ...metadata },
        }),
      ]);
      const resources = Object.fromEntries(files);
      mesh = await startAppMesh(executable, {
        caller: { appPort: await app.start(), resources },
      });
      await mesh.healthy('caller');
    });
    after(async () => {
      await mesh?.stop();
      await app.close();
      const { streams } = await jetstreamManager(admin);
      await streams.delete(make).catch(() => {});
      await admin?.close();
    });

    const publish = async (topic: Topic, count: number) => {
      const at = `http://127.0.0.1:${mesh.port('caller')}/v1.0/publish/${topic}/${topic}`;
      const all = Array.from({ length: count }, (_, n) =>
        fetch(at, { method: 'POST', body: String(n) }),
      );
      for (const answer of await Promise.all(all)) assert.equal(answer.status, 204);
      await until('all have come', () => app.events(topic) >= count);
    };
    const unacknowledged = async (topic: Topic) => {
      const { consumers } = await jetstreamManager(admin);
      await until('all are acknowledged', async () => {
        const { num_ack_pending, num_pending } = await consumers.info(make, topic);
        return num_ack_pending + num_pending === 0;
      });
    };

    test('no more than `maxAckPending` are in the application', async () => {
      await publish('paced', 8);
      await unacknowledged('paced');
      assert.deepEqual([app.events('paced'), app.most('paced')], [8, 2]);
    });

    test('a bulk subscription has several in one request, in order (daprd: only with `parallel`)', async () => {
      await publish('many', 10);
      await unacknowledged('many');
      await publish('alone', 10);
      await unacknowledged('alone');
      assert.deepEqual(
        [app.bulks('many'), app.bulks('alone')],
        [[10], make === 'holdfast' ? [10] : Array(10).fill(1)],
      );
    });
  });
}

/** Takes all that comes, 200 ms after it came. */
function countingApp() {
  const seen = new Map<string, { events: number; now: number; most: number; bulks: number[] }>();
  const of = (topic: string) => {
    const one = seen.get(topic) ?? { events: 0, now: 0, most: 0, bulks: [] };
    seen.set(topic, one);
    return one;
  };
  let app: EchoApp | undefined;
  return {
    async start(): Promise<number> {
      app = await startEchoApp(({ body, url }) => {
        if (url === '/dapr/subscribe') {
          const all = Object.entries(TOPICS).map(([topic, { bulk }]) => ({
            ...{ pubsubname: topic, topic, route: `/on/${topic}`, ...bulk },
          }));
          return { status: 200, body: JSON.stringify(all) };
        }
        const topic = /^\/on\/(.+)$/.exec(url)?.[1];
        if (topic === undefined) return undefined;
        const one = of(topic);
        const { entries } = JSON.parse(body) as { entries?: { entryId: string }[] };
        one.events += entries?.length ?? 1;
        one.bulks.push(entries?.length ?? 1);
        one.now += 1;
        one.most = Math.max(one.most, one.now);
        setTimeout(() => {
          one.now -= 1;
        }, 180);
        const statuses = entries?.map(({ entryId }) => ({ entryId, status: 'SUCCESS' }));
        return { status: 200, body: JSON.stringify({ statuses }), afterMs: 200 };
      });
      return app.port;
    },
    events: (topic: Topic) => of(topic).events,
    most: (topic: Topic) => of(topic).most,
    bulks: (topic: Topic) => of(topic).bulks,
    async close(): Promise<void> {
      await app?.close();
    },
  };
}

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type RedisServer, redisServer, suiteWith, until } from '@holdfast/test-servers';
import { Redis } from 'ioredis';
import { type AppMesh, startAppMesh } from '../makes/app-mesh.ts';
import { bothMakes, type Make } from '../makes/both-makes.ts';
import { componentYaml } from '../makes/component-yaml.ts';
import { type EchoApp, startEchoApp } from '../makes/echo-app.ts';

/** Brokers, and what their application does with the first delivery of an event: answers after so long. */
const BROKERS = {
  narrow: { metadata: { concurrency: '2' }, afterMs: 300 },
  depthless: { metadata: { queueDepth: '0' }, afterMs: 0 },
  slow: { metadata: { processingTimeout: '400', redeliverInterval: '200' }, afterMs: 1_500 },
  never: { metadata: { processingTimeout: '0', redeliverInterval: '200' }, afterMs: 1_500 },
  killed: { metadata: { processingTimeout: '0', redeliverInterval: '0' }, afterMs: 60_000 },
  short: { metadata: { maxLenApprox: '100' }, afterMs: 0 },
  young: { metadata: { streamTTL: '1s' }, afterMs: 0 },
} as const;

type Broker = keyof typeof BROKERS;

await suiteWith('pubsub.redis, what tunes it', redisServer, async (server) => {
  await bothMakes((make, executable) => conformance(make, executable, server));
});

function conformance(make: Make, executable: string | undefined, { port }: RedisServer): void {
  describe(`${make}, what tunes pubsub.redis`, () => {
    const app = busyApp();
    const topicOf = (broker: Broker) => `${broker}-${make}`;
    let client: Redis;
    let mesh: AppMesh<'caller'>;
    before(async () => {
      client = new Redis(port, '127.0.0.1');
      const files = Object.entries(BROKERS).map(([broker, { metadata }]) => [
        `${broker}.yaml`,
        componentYaml(broker, 'pubsub.redis', { redisHost: `127.0.0.1:${port}`, ...metadata }),
      ]);
      const appPort = await app.start(topicOf);
      const resources = Object.fromEntries(files);
      mesh = await startAppMesh(executable, { caller: { appPort, resources } });
      await mesh.healthy('caller');
    });
    after(async () => {
      client.disconnect();
      await mesh?.stop();
      await app.close();
    });

    const publish = async (broker: Broker, count: number) => {
      const at = `http://127.0.0.1:${mesh.port('caller')}/v1.0/publish/${broker}/${topicOf(broker)}`;
      for (let n = 0; n < count; n += 1) {
        assert.equal((await fetch(at, { method: 'POST', body: String(n) })).status, 204);
      }
    };

    test('no more than `concurrency` of its events are in the application', async () => {
      await publish('narrow', 6);
      await until('all have come', () => app.deliveries('narrow') === 6);
      assert.equal(app.most('narrow'), 2);
    });

    test('with a `queueDepth` of 0 events come all the same', async () => {
      await publish('depthless', 30);
      await until('all have come', () => app.deliveries('depthless') === 30);
    });

    test('what is in hand for longer than `processingTimeout` is handed over again', async () => {
      await publish('slow', 1);
      await until('it has come twice', () => app.deliveries('slow') === 2);
      await until('nothing is pending', async () => {
        const [pending] = (await client.xpending(topicOf('slow'), 'caller')) as [number];
        return pending === 0;
      });
    });

    test('without a `processingTimeout` it has all the time', async () => {
      await publish('never', 1);
      await until('it has come', () => app.deliveries('never') === 1);
      await sleep(2_000);
      const [pending] = (await client.xpending(topicOf('never'), 'caller')) as [number];
      assert.deepEqual([app.deliveries('never'), pending], [1, 0]);
    });

    test('without one, what was in hand when a sidecar was killed comes again (daprd: never)', async () => {
      await publish('killed', 1);
      await until('it has come', () => app.deliveries('killed') === 1);
      await mesh.end('caller');
      // As if a minute had passed in which nobody said that it still has it.
      const topic = topicOf('killed');
      const [[id, member]] = (await client.xpending(topic, 'caller', '-', '+', 1)) as [
        [string, string],
      ];
      await client.call('XCLAIM', topic, 'caller', member, '0', id, 'IDLE', '60000', 'JUSTID');
      await mesh.begin('caller');
      if (make === 'daprd') await publish('killed', 1);
      await until('one has come', () => app.deliveries('killed') === 2);
      // daprd: the old one, and the new, which is in hand.
      const wanted = make === 'holdfast' ? 0 : 2;
      await until(`${wanted} are pending`, async () => {
        const [pending] = (await client.xpending(topic, 'caller')) as [number];
        return pending === wanted;
      });
    });

    test('a stream has about `maxLenApprox` entries', async () => {
      await publish('short', 300);
      const length = await client.xlen(topicOf('short'));
      assert.ok(length >= 100 && length <= 200, `${length} entries`);
    });

    test('entries are forgotten when they are older than `streamTTL`', async () => {
      await publish('young', 150);
      await sleep(1_200);
      await publish('young', 1);
      const length = await client.xlen(topicOf('young'));
      assert.ok(length <= 100, `${length} entries`);
    });
  });
}

/** Counts what is delivered of each broker, and how much of it is in its hand at once. */
function busyApp() {
  const counts = new Map<string, number>();
  const inHand = new Map<string, number>();
  const most = new Map<string, number>();
  const seen = new Set<string>();
  let app: EchoApp | undefined;
  return {
    async start(topicOf: (broker: Broker) => string): Promise<number> {
      app = await startEchoApp(({ body, url }) => {
        if (url === '/dapr/subscribe') {
          const all = Object.keys(BROKERS).map((broker) => ({
            ...{ pubsubname: broker, topic: topicOf(broker as Broker), route: `/on/${broker}` },
          }));
          return { status: 200, body: JSON.stringify(all) };
        }
        const broker = /^\/on\/(.+)$/.exec(url)?.[1];
        if (broker === undefined) return undefined;
        const { id } = JSON.parse(body) as { id: string };
        const afterMs = seen.has(id) ? 0 : BROKERS[broker as Broker].afterMs;
        seen.add(id);
        counts.set(broker, (counts.get(broker) ?? 0) + 1);
        const now = (inHand.get(broker) ?? 0) + 1;
        inHand.set(broker, now);
        most.set(broker, Math.max(most.get(broker) ?? 0, now));
        setTimeout(() => inHand.set(broker, inHand.get(broker)! - 1), Math.max(0, afterMs - 20));
        return { status: 200, body: '', afterMs };
      });
      return app.port;
    },
    deliveries: (broker: Broker) => counts.get(broker) ?? 0,
    most: (broker: Broker) => most.get(broker) ?? 0,
    async close(): Promise<void> {
      await app?.close();
    },
  };
}

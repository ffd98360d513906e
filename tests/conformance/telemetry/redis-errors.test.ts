import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type RedisServer, redisServer, suiteWith, until } from '@holdfast/test-servers';
import { type AppMesh, startAppMesh } from '../makes/app-mesh.ts';
import { bothMakes, type Make } from '../makes/both-makes.ts';
import { type DaprClient, daprClient, outcome } from '../makes/grpc-client.ts';

await suiteWith('errors of a Redis that is gone', redisServer, async (redis) => {
  await bothMakes((make, executable) => conformance(make, executable, redis));
});

const component = (name: string, type: string, port: number) => `apiVersion: dapr.io/v1alpha1
kind: Component
metadata: { name: ${name} }
spec:
  type: ${type}
  version: v1
  metadata: [{ name: redisHost, value: "127.0.0.1:${port}" }, { name: redisPassword, value: "" }, { name: redisMaxRetries, value: "0" }]
---
`;

const ENTRIES = ['1', '2'].map((entryId) => ({ entryId, event: 'e', contentType: 'text/plain' }));

/** Errors that are an answer's and not the call's, and how they are counted. */
function conformance(make: Make, executable: string | undefined, redis: RedisServer): void {
  describe(`${make}, errors in answers`, () => {
    let mesh: AppMesh<'asking'>;
    let client: DaprClient;
    before(async () => {
      const { port } = redis;
      const all = `${component('bus', 'pubsub.redis', port)}${component('config', 'configuration.redis', port)}`;
      mesh = await startAppMesh(executable, {
        asking: {
          spec: 'metrics: { recordErrorCodes: true }',
          resources: { 'redis.yaml': all },
        },
      });
      client = daprClient(mesh.grpcPort('asking'));
    });
    after(async () => {
      await mesh?.stop();
      // For the next make: a test below kills it.
      await redis.process.kill();
      await redis.process.restart();
    });

    for (const storeName of ['config', 'nowhere']) {
      test(`gRPC: nobody subscribes by that id, in ${storeName}`, async () => {
        await counts('configuration', 'ERR_CONFIGURATION_UNSUBSCRIBE', async () => {
          const call = client.unsubscribeConfiguration({ storeName, id: 'some' });
          assert.deepEqual(await outcome(() => call), {
            answer: {
              ok: false,
              message:
                'failed to unsubscribe to configuration request some: subscription does not exist',
            },
          });
        });
      });
    }

    test('HTTP: a bulk that did not get to the broker', async () => {
      await redis.process.kill();
      await counts('pubsub', 'ERR_PUBSUB_PUBLISH_MESSAGE', async () => {
        const url = `http://127.0.0.1:${mesh.port('asking')}/v1.0/publish/bulk/bus/topic`;
        const answer = await fetch(url, { method: 'POST', body: JSON.stringify(ENTRIES) });
        const { errorCode, failedEntries } = (await answer.json()) as {
          errorCode: string;
          failedEntries: readonly { entryId: string; error: string }[];
        };
        assert.deepEqual([answer.status, errorCode], [500, 'ERR_PUBSUB_PUBLISH_MESSAGE']);
        assert.deepEqual(failedEntries.map(({ entryId }) => entryId).sort(), ['1', '2']);
        for (const { error } of failedEntries) assert.match(error, /connection refused/);
      });
    });

    test('gRPC: a bulk that did not get to the broker', async () => {
      await counts('pubsub', 'ERR_PUBSUB_PUBLISH_MESSAGE', async () => {
        const entries = ENTRIES.map((one) => ({ ...one, event: Buffer.from(one.event) }));
        const request = { pubsubName: 'bus', topic: 'topic', entries };
        const said = JSON.stringify(await outcome(() => client.bulkPublishEvent(request)));
        // daprd fails the call, and which entries failed is lost.
        assert.match(said, make === 'daprd' ? /^\{"code":13,/ : /^\{"answer":\{"failedEntries":\[/);
      });
    });

    async function counts(category: string, code: string, work: () => Promise<void>) {
      const count = async () => {
        const page = await fetch(`http://127.0.0.1:${mesh.metricsPort('asking')}/`);
        const series = `category="${category}",error_code="${code}"\\} (\\d+)`;
        return Number(new RegExp(series).exec(await page.text())?.[1] ?? 0);
      };
      const earlier = await count();
      await work();
      await until(`${code} is counted once`, async () => (await count()) === earlier + 1);
    }
  });
}

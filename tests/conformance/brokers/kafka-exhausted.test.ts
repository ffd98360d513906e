import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { until } from '@holdfast/test-servers';
import { type AppMesh, startAppMesh } from '../makes/app-mesh.ts';
import { bothMakes, type Make } from '../makes/both-makes.ts';
import { componentYaml } from '../makes/component-yaml.ts';
import { withKafka } from '../makes/with-kafka.ts';

/** The first, and the three retries of the policy. */
const DELIVERIES = 4;

/** What Dapr's certification of pubsub.kafka asks since its issue 4362, which daprd 1.18.1 is older than. */
await withKafka('pubsub.kafka, retries that are used up', async (address) => {
  await bothMakes((make, executable) => conformance(make, executable, address));
});

function conformance(make: Make, executable: string | undefined, address: string): void {
  describe(`${make}, an event whose policy has no retries left`, () => {
    const topic = `${make}-poisoned`;
    const came: string[] = [];
    let mesh: AppMesh<'caller'>;
    before(async () => {
      const resources = {
        'broker.yaml': componentYaml('broker', 'pubsub.kafka', {
          ...{ brokers: address, authType: 'none', initialOffset: 'oldest' },
          ...{ consumerGroup: topic, consumeRetryEnabled: 'false' },
        }),
        'policy.yaml': POLICY,
      };
      mesh = await startAppMesh(executable, { caller: { resources } }, undefined, (call) => {
        if (call.url === '/dapr/subscribe') {
          const wanted = [{ pubsubname: 'broker', topic, route: '/on-event' }];
          return { status: 200, body: JSON.stringify(wanted) };
        }
        if (call.url !== '/on-event') return undefined;
        const { data } = JSON.parse(call.body) as { data: string };
        came.push(data);
        return { status: data === 'poison' ? 500 : 200, body: '' };
      });
      await mesh.healthy('caller');
    });
    after(() => mesh?.stop());
    const publish = async (data: string) => {
      const to = `http://127.0.0.1:${mesh.port('caller')}/v1.0/publish/broker/${topic}?metadata.partitionKey=k`;
      const headers = { 'content-type': 'application/json' };
      const answer = await fetch(to, { method: 'POST', headers, body: JSON.stringify(data) });
      assert.equal(answer.status, 204, await answer.text());
    };
    const times = (data: string) => came.filter((one) => one === data).length;

    test('is done with: it does not come again after the next start', async () => {
      await publish('poison');
      await until('the retries are used up', () => times('poison') >= DELIVERIES);
      await sleep(1_000);
      assert.equal(times('poison'), DELIVERIES);
      await mesh.end('caller');
      await mesh.begin('caller');
      await mesh.healthy('caller');
      // Behind it in its partition: when this one comes, the other would have come.
      await publish('probe');
      await until('what is behind it has come', () => times('probe') >= 1);
      assert.equal(times('poison'), make === 'daprd' ? 2 * DELIVERIES : DELIVERIES);
    });
  });
}

const POLICY = `
apiVersion: dapr.io/v1alpha1
kind: Resiliency
metadata: { name: bounded }
spec:
  policies: { retries: { thrice: { policy: constant, duration: 50ms, maxRetries: 3 } } }
  targets: { components: { broker: { inbound: { retry: thrice } } } }
`;

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { until } from '@holdfast/test-servers';
import { bothMakes, type Make } from '../makes/both-makes.ts';
import type { Seen } from '../makes/echo-app.ts';
import { type Mesh, startMesh } from '../makes/mesh.ts';

await bothMakes(conformance);

/** Which subscriptions count, and what the metadata say of them. */
function conformance(make: Make, executable: string | undefined): void {
  describe(`${make}, subscriptions`, () => {
    const seen: Seen[] = [];
    let mesh: Mesh;
    before(async () => {
      mesh = await startMesh(executable, {
        instead(one: Seen) {
          if (one.url === '/dapr/subscribe') return { status: 200, body: SUBSCRIBED };
          if (one.method !== 'POST') return undefined;
          seen.push(one);
          return { status: 200, body: '' };
        },
        resources: { 'all.yaml': RESOURCES },
      });
      const url = `http://127.0.0.1:${mesh.port('caller')}/v1.0/healthz`;
      await until('it is ready', async () => (await fetch(url)).ok);
    });
    after(() => mesh.stop());

    const url = (rest: string) => `http://127.0.0.1:${mesh.port('caller')}/v1.0/${rest}`;
    const publish = async (topic: string) => {
      const answer = await fetch(url(`publish/bus/${topic}`), { method: 'POST', body: 'x' });
      assert.equal(answer.status, 204);
      await until('it has come', () => seen.length > 0);
      return seen.splice(0).map((one) => one.url);
    };

    test('what the application says counts over what files say of the same topic', async () => {
      assert.deepEqual(await publish('both'), ['/asked']);
    });

    test('of two files that name a topic the first counts, and keys are read in any letter case', async () => {
      assert.deepEqual(await publish('declared'), ['/first']);
    });

    test('the metadata show all that are wanted, whether or not they can be had', async () => {
      const answer = (await (await fetch(url('metadata'))).json()) as {
        readonly subscriptions: readonly Record<string, unknown>[];
      };
      const shown = answer.subscriptions.map((one) => [one.pubsubname, one.topic, one.type]);
      assert.deepEqual(shown.map(String).toSorted(), [
        'bus,both,PROGRAMMATIC',
        'bus,declared,DECLARATIVE',
        'nowhere,lost,PROGRAMMATIC',
      ]);
    });
  });
}

const SUBSCRIBED = JSON.stringify([
  { pubsubname: 'bus', topic: 'both', route: '/asked' },
  { pubsubname: 'nowhere', topic: 'lost', route: '/lost' },
]);

const subscription = (name: string, topic: string, route: string) => `
apiVersion: dapr.io/v1alpha1
Kind: Subscription
metadata: { name: ${name} }
spec: { pubsubname: bus, topic: ${topic}, Route: ${route} }
scopes: [caller]
`;

/** A key that is there twice is read, too. */
const RESOURCES = [
  `
apiVersion: dapr.io/v1alpha1
apiVersion: dapr.io/v1alpha1
kind: Component
metadata: { name: bus }
spec: { type: pubsub.in-memory, version: v1 }
scopes: [caller]
`,
  subscription('a', 'both', '/declared'),
  subscription('b', 'declared', '/first'),
  subscription('c', 'declared', '/second'),
].join('---');

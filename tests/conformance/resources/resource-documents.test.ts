import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { sendRaw } from '../../../packages/sidecar/src/testing/raw-http.ts';
import { type AppMesh, startAppMesh } from '../makes/app-mesh.ts';
import { bothMakes, type Make } from '../makes/both-makes.ts';
import { ready } from '../makes/one-sidecar.ts';

await bothMakes(documents);

/** Which documents of a folder are for this sidecar, where what they say of it is not quite as it should be. */
function documents(make: Make, executable: string | undefined): void {
  describe(`${make}, documents of resources`, () => {
    let mesh: AppMesh<'caller'>;
    let metadata: Readonly<Record<string, readonly Readonly<Record<string, string>>[]>>;
    before(async () => {
      mesh = await startAppMesh(executable, { caller: { resources: FILES } });
      await ready(mesh.port('caller'));
      metadata = JSON.parse((await ask('/v1.0/metadata')).body);
    });
    after(() => mesh?.stop());
    const ask = (path: string) => sendRaw(mesh.port('caller'), { path });
    const named = (list: string, key = 'name') => (metadata[list] ?? []).map((one) => one[key]);

    test('scopes that are no list, and versions of others, are for nobody', () => {
      assert.deepEqual(
        [
          named('components').toSorted(),
          named('httpEndpoints'),
          named('subscriptions', 'topic').toSorted(),
        ],
        [['bus', 'for-all', 'for-us', 'in-capitals', 'nobody'], ['for-us'], ['first', 'for-us']],
      );
    });

    test('all Resiliency documents in force are named, those without a name too', () => {
      assert.deepEqual(named('resiliencies'), ['in-capitals', 'policies', 'targets', undefined]);
    });

    test('a target finds its policy in another file, of which the last counts', async () => {
      await ask('/v1.0/invoke/caller/method/tried?status=503');
      assert.equal(mesh.app.calls('/tried'), 4);
    });

    test('a method has one circuit, with escapes or without', async () => {
      const statuses: number[] = [];
      for (const method of ['x', 'x', '%78', './x', 'y/../x', 'X']) {
        const path = `/v1.0/invoke/caller.default/method/${method}?status=418`;
        statuses.push((await ask(path)).status);
      }
      assert.deepEqual(statuses, [418, 418, 500, 500, 500, 418]);
    });
  });
}

const DAPR = 'dapr.io/v1alpha1';

const component = (name: string, more = '', version = DAPR, type = 'state.in-memory') => `
apiVersion: ${version}
kind: Component
metadata: { name: ${name} }
spec: { type: ${type}, version: v1 }
${more}
`;

const endpoint = (name: string, more = '', version = DAPR) => `
apiVersion: ${version}
kind: HTTPEndpoint
metadata: { name: ${name} }
spec: { baseUrl: "http://127.0.0.1:$APP" }
${more}
`;

const subscription = (topic: string, more = '', version = 'dapr.io/v2alpha1') => `
apiVersion: ${version}
kind: Subscription
metadata: { name: ${topic} }
spec: { topic: ${topic}, pubsubname: bus, routes: { default: /events } }
${more}
`;

const resiliency = (metadata: string, spec: string, more = '') => `
apiVersion: ${DAPR}
kind: Resiliency
metadata: { ${metadata} }
spec: ${spec}
${more}
`;

/** Scopes in ways that people write them, for the kinds that have some. */
const scoped = (make: (name: string, more?: string, version?: string) => string) => [
  make('for-us', 'scopes: [caller]'),
  make('for-others', 'scopes: [callee]'),
  make('a-text', 'scopes: caller'),
  make('a-number', 'scopes: [5]'),
  make('a-map', 'scopes: { caller: true }'),
  make('of-others', '', 'core.oam.dev/v1beta1'),
  make('of-the-future', '', 'dapr.io/v3'),
];

const retries = (count: number) =>
  `{ policies: { retries: { some: { duration: 1ms, maxRetries: ${count} } }, circuitBreakers: { two: { trip: consecutiveFailures > 1 } } } }`;

const FILES = {
  'components.yaml': [
    component('bus', '', DAPR, 'pubsub.in-memory'),
    component('for-all', 'scopes:'),
    component('nobody', 'scopes: []'),
    ...scoped(component),
  ].join('---'),
  'endpoints.yaml': scoped(endpoint).join('---'),
  'subscriptions.yaml': [subscription('first'), ...scoped(subscription)].join('---'),
  // Before all others: capitals come before small letters.
  'POLICIES.YAML': resiliency('name: in-capitals', retries(1)),
  'OTHERS.YML': component('in-capitals'),
  'policies.yaml': resiliency('name: policies', retries(3)),
  'policies-a-text.yaml': resiliency('name: a-text', retries(5), 'scopes: caller'),
  'targets.yaml': resiliency(
    'name: targets',
    '{ targets: { apps: { caller: { retry: some }, caller.default: { circuitBreaker: two } } } }',
  ),
  'without-a-name.yaml': resiliency('', '{}'),
};

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { sendRaw } from '../../../packages/sidecar/src/testing/raw-http.ts';
import { type AppMesh, startAppMesh } from '../makes/app-mesh.ts';
import { bothMakes, type Make } from '../makes/both-makes.ts';
import { componentYaml } from '../makes/component-yaml.ts';
import { ready } from '../makes/one-sidecar.ts';

await bothMakes(conformance);

/** What stands beside broken documents in a file, and which of several of one name counts. */
function conformance(make: Make, executable: string | undefined): void {
  describe(`${make}, documents beside broken ones, and of one name`, () => {
    let mesh: AppMesh<'caller'>;
    let metadata: Readonly<Record<string, readonly Readonly<Record<string, unknown>>[]>>;
    before(async () => {
      mesh = await startAppMesh(executable, { caller: { resources: FILES } });
      await ready(mesh.port('caller'));
      metadata = JSON.parse((await sendRaw(mesh.port('caller'), { path: '/v1.0/metadata' })).body);
    });
    after(() => mesh?.stop());
    const named = (list: string) => (metadata[list] ?? []).map(({ name }) => name);

    test('what is wrong in a document is nothing to the others of its file', () => {
      const names = named('components').toSorted();
      assert.deepEqual(names, ['5', 'bus', 'first', 'last', 'second', 'third', 'true']);
    });

    test('of Subscriptions of one name the last counts, of either version', () => {
      const subscriptions = metadata.subscriptions!.map(({ rules, topic }) => [topic, rules]);
      assert.deepEqual(subscriptions, [
        ['c', [{ path: '/c' }]],
        ['b', [{ path: '/b' }]],
        ['e', [{ path: '/e' }]],
        ['f', [{ path: '/f' }]],
        ['5', [{ path: '/5' }]],
      ]);
    });

    test('Resiliency documents of one name are all in force, and named once', async () => {
      assert.deepEqual(named('resiliencies'), ['one']);
      await sendRaw(mesh.port('caller'), { path: '/v1.0/invoke/caller/method/tried?status=503' });
      assert.equal(mesh.app.calls('/tried'), 3);
    });
  });
}

const store = (name: string): string => componentYaml(name, 'state.in-memory');

const subscription = (version: string, metadata: string, topic: string): string => `
apiVersion: dapr.io/${version}
kind: Subscription
metadata: { ${metadata} }
spec:
  topic: ${topic}
  pubsubname: bus
  ${version === 'v1alpha1' ? `route: /${topic}` : `routes: { default: /${topic} }`}
`;

const FILES = {
  'components.yaml': [
    componentYaml('bus', 'pubsub.in-memory'),
    'a: [1\n',
    store('first'),
    '- a list\n',
    'just a text\n',
    '5\n',
    'kind: 5\n',
    store('of-no-kind').replace('kind: Component', 'kind: component'),
    store('second'),
    'kind: Component\nmetadata: { name: tab }\nspec:\n\ttype: state.in-memory\n',
    store('no-boolean').replace('version: v1', 'version: v1, ignoreErrors: "true"'),
    store('third'),
    'kind: Component\nmetadata: { name: "open }\n',
    store('5'),
    store('yes'),
    store('a/b'),
    store('"a%b"'),
    store('[a]'),
    store('""'),
    '',
    store('last'),
  ].join('\n--- # the next\n'),
  // In one file: over several daprd's order is chance where versions are mixed.
  'subscriptions.yaml': [
    subscription('v1alpha1', 'name: one', 'a'),
    subscription('v2alpha1', 'name: two', 'c'),
    subscription('v2alpha1', 'name: one', 'b'),
    subscription('v2alpha1', '', 'd'),
    subscription('v2alpha1', 'name: a/b', 'g'),
    subscription('v2alpha1', 'name: three', 'x'),
    subscription('v1alpha1', 'name: ""', 'e'),
    `${subscription('v1alpha1', 'name: two', 'y')}scopes: [somebody-else]\n`,
    subscription('v1alpha1', 'name: three', 'f'),
    subscription('v1alpha1', 'name: four', '5'),
  ].join('---'),
  'resiliency-1.yaml': `
apiVersion: dapr.io/v1alpha1
kind: Resiliency
metadata: { name: one }
spec:
  policies: { retries: { twice: { policy: constant, duration: 1ms, maxRetries: 2 } } }
  targets: { apps: { caller: { retry: twice } } }
`,
  'resiliency-2.yaml':
    'apiVersion: dapr.io/v1alpha1\nkind: Resiliency\nmetadata: { name: one }\nspec: {}\n',
};

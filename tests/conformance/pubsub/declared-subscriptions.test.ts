import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { until } from '@holdfast/test-servers';
import { type AppMesh, startAppMesh } from '../makes/app-mesh.ts';
import { bothMakes, type Make } from '../makes/both-makes.ts';
import type { Seen } from '../makes/echo-app.ts';

const BUS = `apiVersion: dapr.io/v1alpha1
kind: Component
metadata: { name: bus }
spec: { type: pubsub.in-memory, version: v1, metadata: [] }
`;

let names = 0;
const declared = (topic: string, spec: string, scopes = '') => {
  names += 1;
  const version = spec.startsWith('routes') ? 'v2alpha1' : 'v1alpha1';
  return `apiVersion: dapr.io/${version}
kind: Subscription
metadata: { name: s${names} }
spec: { pubsubname: bus, topic: ${topic}, ${spec} }
${scopes}
---
`;
};

const RULES =
  'routes: { rules: [{ match: event.type == "a", path: /type }, { match: event.data.x > 2, path: /more }], default: /rest }';
const BULK = 'bulkSubscribe: { enabled: true, maxMessagesCount: 5, maxAwaitDurationMs: 100 }';
const SUBSCRIPTIONS = [
  declared('old', 'route: /old'),
  declared('new', 'routes: { default: /new }'),
  declared('rooted', 'route: rooted'),
  declared('ruled', RULES),
  declared('unruled', 'routes: { rules: [{ match: event.type == "a", path: /unruled }] }'),
  declared('twice', 'route: /first'),
  declared('twice', 'routes: { default: /second }'),
  declared('both', 'route: /declared'),
  declared('asked', 'routes: { default: /declared }'),
  declared('theirs', 'route: /theirs', 'scopes: [other]'),
  declared('ours', 'route: /ours', 'scopes: [other, app]'),
  declared('wild/*', 'route: /wild'),
  declared('bulk', `routes: { default: /bulk }, ${BULK}`),
].join('');

/** By topic where its events go to; of two by the application itself the last. */
const ASKED = [
  ['both', '/asked'],
  ['asked', '/asked-first'],
  ['asked', '/asked-last'],
  ['mine', '/mine'],
].map(([topic, route]) => ({ pubsubname: 'bus', topic, route }));

let ids = 0;
/** Each with an id of its own: what comes late is not taken for what is waited for. */
const event = (type: string, x: number) => {
  ids += 1;
  return JSON.stringify({ specversion: '1.0', source: 's', id: `e${ids}`, type, data: { x } });
};

/** Topic, event, and the paths of the application that it comes to. */
const PUBLISHED: readonly (readonly [topic: string, event: string, paths: readonly string[]])[] = [
  ['old', event('b', 1), ['/old']],
  ['new', event('b', 1), ['/new']],
  ['rooted', event('b', 1), ['/rooted']],
  ['ruled', event('a', 9), ['/type']],
  ['ruled', event('b', 9), ['/more']],
  ['ruled', event('b', 1), ['/rest']],
  ['unruled', event('a', 1), ['/unruled']],
  ['unruled', event('b', 1), []],
  ['twice', event('b', 1), ['/first']],
  ['both', event('b', 1), ['/asked']],
  ['asked', event('b', 1), ['/asked-last']],
  ['mine', event('b', 1), ['/mine']],
  ['theirs', event('b', 1), []],
  ['ours', event('b', 1), ['/ours']],
  ['wild/x', event('b', 1), ['/wild']],
  ['bulk', event('b', 1), ['/bulk']],
];

await bothMakes(conformance);

function conformance(make: Make, executable: string | undefined): void {
  describe(`${make}, subscriptions of files and of the application`, () => {
    let mesh: AppMesh<'app'>;
    const came: { readonly path: string; readonly body: string }[] = [];
    const instead = ({ body, url }: Seen) => {
      if (url === '/dapr/subscribe') return { status: 200, body: JSON.stringify(ASKED) };
      if (url.startsWith('/dapr/') || url === '/') return undefined;
      came.push({ path: url, body });
      if (url !== '/bulk') return { status: 200, body: '' };
      const { entries } = JSON.parse(body) as { entries: readonly { entryId: string }[] };
      const statuses = entries.map(({ entryId }) => ({ entryId, status: 'SUCCESS' }));
      return { status: 200, body: JSON.stringify({ statuses }) };
    };
    before(async () => {
      const resources = { 'bus.yaml': BUS, 'subscriptions.yaml': SUBSCRIPTIONS };
      mesh = await startAppMesh(executable, { app: { resources } }, undefined, instead);
      const metadata = `http://127.0.0.1:${mesh.port('app')}/v1.0/metadata`;
      const known = async () => (await (await fetch(metadata)).text()).includes('/mine');
      await until('the application has subscribed', known);
      // The broker keeps nothing: what is published before somebody listens is gone.
      await until(
        'it hears',
        async () => (await publish('mine', event('b', 1))) && came.length > 0,
      );
    });
    after(() => mesh.stop());

    for (const [topic, body, paths] of PUBLISHED) {
      const { data, type } = JSON.parse(body);
      test(`${topic}, type ${type}, ${data.x}: ${paths.join() || 'nowhere'}`, async () => {
        assert.ok(await publish(topic, body));
        // What comes of one that goes nowhere would come before this.
        const last = event('b', 1);
        await publish('old', last);
        const of = (text: string) => {
          const { id } = JSON.parse(text) as { id: string };
          return came.filter((one) => one.body.includes(`"${id}"`)).map(({ path }) => path);
        };
        const wanted = () => of(last).length > 0 && of(body).length >= paths.length;
        await until(`${paths}, not ${of(body)}`, wanted);
        assert.deepEqual(of(body), paths);
      });
    }

    const publish = async (topic: string, body: string): Promise<boolean> => {
      const headers = { 'content-type': 'application/cloudevents+json' };
      const url = `http://127.0.0.1:${mesh.port('app')}/v1.0/publish/bus/${topic}`;
      return (await fetch(url, { method: 'POST', headers, body })).status === 204;
    };
  });
}

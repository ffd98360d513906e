import assert from 'node:assert/strict';
import { rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { until } from '@holdfast/test-servers';
import { bothMakes, type Make } from '../makes/both-makes.ts';
import type { Seen } from '../makes/echo-app.ts';
import { type Mesh, startMesh } from '../makes/mesh.ts';

await bothMakes(conformance);

/** Files that come, change and go while both makes run. */
function conformance(make: Make, executable: string | undefined): void {
  describe(`${make}, changed files`, () => {
    const received = new Map<string, string[]>();
    let mesh: Mesh;
    before(async () => {
      mesh = await startMesh(executable, {
        instead(seen: Seen) {
          if (seen.url === '/dapr/subscribe') return { status: 200, body: '[]' };
          if (!seen.url.startsWith('/route-')) return undefined;
          const before = received.get(seen.url) ?? [];
          received.set(seen.url, [...before, String(JSON.parse(seen.body).data)]);
          return { status: 200, body: '' };
        },
        resources: { 'first.yaml': component('first', 'pubsub.in-memory') },
      });
    });
    after(() => mesh.stop());

    const write = async (name: string, text: string) => {
      const temporary = path.join(mesh.resources, `.${name}.new`);
      await writeFile(temporary, text);
      await rename(temporary, path.join(mesh.resources, name));
    };
    const url = (rest: string) => `http://127.0.0.1:${mesh.port('caller')}/v1.0/${rest}`;
    const post = async (rest: string, body: string) => {
      const headers = { 'content-type': 'application/json' };
      const answer = await fetch(url(rest), { method: 'POST', headers, body });
      await answer.arrayBuffer();
      return answer.status;
    };
    const publish = (broker: string, data: string) =>
      post(`publish/${broker}/t`, JSON.stringify(data));
    const metadata = async () =>
      (await (await fetch(url('metadata'))).json()) as {
        components: readonly { readonly name: string }[];
        subscriptions?: readonly { readonly topic: string }[];
      };

    test('a Subscription comes, changes and goes', async () => {
      await write('s.yaml', subscription('first', '/route-one'));
      await until('it is there', async () => (await metadata()).subscriptions?.length === 1);
      assert.equal(await publish('first', 'a'), 204);
      await until('it is delivered', () => received.has('/route-one'));

      await write('s.yaml', subscription('first', '/route-two'));
      await until('it goes elsewhere', async () => {
        await publish('first', 'b');
        return received.has('/route-two');
      });

      await rm(path.join(mesh.resources, 's.yaml'));
      await until('it is gone', async () => (await metadata()).subscriptions === undefined);
    });

    test('a component comes, with a subscription to it, and goes', async () => {
      await write('s.yaml', subscription('second', '/route-late'));
      await sleep(500);
      assert.equal(await publish('second', 'a'), 404);
      await write('second.yaml', component('second', 'pubsub.in-memory'));
      await until('it delivers', async () => {
        await publish('second', 'b');
        return received.has('/route-late');
      });
      await rm(path.join(mesh.resources, 'second.yaml'));
      await until('it is gone', async () => (await publish('second', 'c')) === 404);
    });

    test('a state store comes, and saves', async () => {
      const state = () => post('state/store', '[{"key":"k","value":1}]');
      assert.notEqual(await state(), 204);
      await write('store.yaml', component('store', 'state.in-memory'));
      await until('it saves', async () => (await state()) === 204);
    });

    test('a file that is emptied, and stays so, takes its component away', async () => {
      await write('emptied.yaml', component('emptied', 'pubsub.in-memory'));
      await until('it is there', async () => (await publish('emptied', 'a')) === 204);
      await writeFile(path.join(mesh.resources, 'emptied.yaml'), '');
      await until('it is gone', async () => (await publish('emptied', 'b')) === 404);
    });

    test('a component that cannot be used any more and says ignoreErrors goes', async () => {
      await write('lax.yaml', component('lax', 'state.in-memory'));
      const state = () => post('state/lax', '[{"key":"k","value":1}]');
      await until('it saves', async () => (await state()) === 204);
      const broken = component('lax', 'state.sqlite').replace('v1,', 'v1, ignoreErrors: true,');
      await write('lax.yaml', broken);
      await until('it is gone', async () => (await state()) !== 204);
      await write('lax.yaml', component('lax', 'state.in-memory'));
      await until('it saves again', async () => (await state()) === 204);
    });

    test('a file that is no YAML takes nothing away', async () => {
      await write('broken.yaml', 'kind: Component\nspec: [');
      await sleep(1_000);
      assert.equal(await publish('first', 'x'), 204);
      await rm(path.join(mesh.resources, 'broken.yaml'));
    });
  });
}

const component = (name: string, type: string) => `
apiVersion: dapr.io/v1alpha1
kind: Component
metadata: { name: ${name} }
spec: { type: ${type}, version: v1, metadata: [] }
`;

const subscription = (broker: string, route: string) => `
apiVersion: dapr.io/v2alpha1
kind: Subscription
metadata: { name: s }
spec: { pubsubname: ${broker}, topic: t, routes: { default: ${route} } }
scopes: [caller]
`;

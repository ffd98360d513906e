import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, describe, test } from 'node:test';
import { bothMakes, type Make } from '../makes/both-makes.ts';
import { type Flagged, startFlagged } from '../makes/flagged.ts';
import { storeOf } from '../state/store-of.ts';

/** An item of metadata, beside the name of one that shows itself in a key; the store of its secrets; and its value. */
const ITEMS: readonly (readonly [item: string, store: string, value: string])[] = [
  ['envRef: MY_VAR', '', 'from-env'],
  ['value: val, envRef: MY_VAR', '', 'val'],
  ['value: "", envRef: MY_VAR', '', ''],
  ['value: ~, envRef: MY_VAR', '', 'from-env'],
  ['envRef: NOT_SET', '', ''],
  ['envRef: 5', '', ''],
  ['envRef: DAPR_X', '', ''],
  ['envRef: dapr_low', '', ''],
  ['envRef: APP_API_TOKEN', '', ''],
  ['secretKeyRef: { name: MY_VAR, key: MY_VAR }', 'env', 'from-env'],
  ['secretKeyRef: { name: MY_VAR }', 'env', 'from-env'],
  ['value: val, secretKeyRef: { name: MY_VAR, key: MY_VAR }', 'env', 'from-env'],
  ['value: val, secretKeyRef: { name: NOT_SET, key: NOT_SET }', 'env', 'val'],
  ['value: val, secretKeyRef: { name: nope, key: nope }', 'file', 'val'],
  ['value: val, secretKeyRef: { name: MY_VAR, key: MY_VAR }', '', 'val'],
  ['secretKeyRef: { name: MY_VAR, key: MY_VAR }, envRef: OTHER_VAR', 'env', 'other'],
  ['secretKeyRef: { name: "many:a", key: "many:a" }', 'file', 'one-of-many'],
  ['secretKeyRef: { key: single }', 'file', ''],
  ['secretKeyRef: {}', '', ''],
  [
    'value: "{podName} {namespace} {appID} {APPID} { appID }"',
    '',
    'pod shop.probe probe {appid} { appid }',
  ],
];

const ENV = {
  ...{ MY_VAR: 'from-env', OTHER_VAR: 'other', DAPR_X: 'x', dapr_low: 'x', APP_API_TOKEN: 'x' },
  ...{ POD_NAME: 'pod', NAMESPACE: 'shop' },
};

await bothMakes(conformance);

function conformance(make: Make, executable: string | undefined): void {
  describe(`${make}, values of metadata`, () => {
    let folder: string;
    let sidecar: Flagged;
    before(async () => {
      folder = await mkdtemp(path.join(tmpdir(), 'holdfast-values-'));
      const secrets = JSON.stringify({ single: 'single', many: { a: 'one-of-many' } });
      await writeFile(path.join(folder, 'secrets.json'), secrets);
      const stores = ITEMS.map(([item, store], index) => storeYaml(folder, index, item, store));
      const resources = {
        'all.yaml': [...secretStores(folder), ...stores, ...BESIDE].join('---\n'),
      };
      sidecar = await startFlagged(executable, { flags: {}, env: ENV, resources });
    });
    after(async () => {
      await sidecar?.stop();
      await rm(folder, { recursive: true, force: true });
    });

    test('come from where daprd takes them', async () => {
      const keys: string[] = [];
      for (const index of ITEMS.keys()) {
        await storeOf(sidecar.ports.http, `s${index}`).save([{ key: 'k', value: 1 }]);
        const database = new DatabaseSync(path.join(folder, `${index}.db`), { readOnly: true });
        keys.push(String(database.prepare('SELECT key FROM state').get()?.key));
        database.close();
      }
      assert.deepEqual(
        ITEMS.map(([item, store], index) => [item, store, keys[index]]),
        ITEMS.map(([item, store, value]) => [item, store, `${value}||k`]),
      );
    });

    test('one without a name has no effect, and what is no reference leaves its component out', async () => {
      const answer = await fetch(`http://127.0.0.1:${sidecar.ports.http}/v1.0/metadata`);
      const { components } = (await answer.json()) as { components: { name: string }[] };
      const names = components.map(({ name }) => name).filter((name) => name.startsWith('beside'));
      assert.deepEqual(names, ['beside-without-name']);
    });
  });
}

const component = (name: string, type: string, items: readonly string[], store = ''): string => `
apiVersion: dapr.io/v1alpha1
kind: Component
metadata: { name: ${name} }
spec: { type: ${type}, version: v1, metadata: [${items.map((item) => `{ ${item} }`).join(', ')}] }
${store === '' ? '' : `auth: { secretStore: ${store} }\n`}`;

const storeYaml = (folder: string, index: number, item: string, store: string): string =>
  component(
    `s${index}`,
    'state.sqlite',
    [`name: connectionString, value: "${folder}/${index}.db"`, `name: keyPrefix, ${item}`],
    store,
  );

const secretStores = (folder: string): readonly string[] => [
  component('env', 'secretstores.local.env', []),
  component('file', 'secretstores.local.file', [
    `name: secretsFile, value: "${folder}/secrets.json"`,
  ]),
];

const BESIDE = [
  component('beside-without-name', 'state.in-memory', ['value: x']),
  component('beside-no-reference', 'state.in-memory', ['name: keyPrefix, secretKeyRef: x']),
];

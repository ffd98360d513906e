import assert from 'node:assert/strict';
import { access, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, describe, test } from 'node:test';
import { bothMakes, type Make } from '../makes/both-makes.ts';
import { type Flagged, startFlagged } from '../makes/flagged.ts';

const component = (name: string, type: string, metadata: string, namespace = ''): string =>
  `apiVersion: dapr.io/v1alpha1
kind: Component
metadata: { name: ${name}, namespace: "${namespace}" }
spec: { type: ${type}, version: v1, metadata: [${metadata}] }
---
`;

/** By the variable `NAMESPACE`: what the metrics and keys say, and which resources are of us. */
const NAMESPACES = [
  { given: undefined, label: '', prefix: 'probe', file: 'default.probe', foreign: true },
  { given: 'shop', label: 'shop', prefix: 'shop.probe', file: 'shop.probe', foreign: false },
] as const;

await bothMakes(conformance);

function conformance(make: Make, executable: string | undefined): void {
  for (const { given, label, prefix, file, foreign } of NAMESPACES) {
    describe(`${make}, NAMESPACE=${given ?? ' not set'}`, () => {
      let folder = '';
      let sidecar: Flagged;
      before(async () => {
        folder = await mkdtemp(path.join(tmpdir(), 'holdfast-namespace-'));
        const file = (name: string) => `{ name: connectionString, value: "${folder}/${name}.db" }`;
        const stores = [
          component(
            'keyed',
            'state.sqlite',
            `${file('keyed')}, { name: keyPrefix, value: namespace }`,
          ),
          component('named', 'state.sqlite', file('{namespace}')),
          component('near', 'state.in-memory', '', 'shop'),
          component('foreign', 'state.in-memory', '', 'elsewhere'),
        ];
        sidecar = await startFlagged(executable, {
          flags: {},
          resources: { 'stores.yaml': stores.join('') },
          env: given === undefined ? {} : { NAMESPACE: given },
        });
      });
      after(async () => {
        await sidecar.stop();
        await rm(folder, { recursive: true, force: true });
      });

      const save = async (store: string) => {
        const url = `http://127.0.0.1:${sidecar.ports.http}/v1.0/state/${store}`;
        const answer = await fetch(url, { method: 'POST', body: '[{"key":"k","value":1}]' });
        return answer.status;
      };

      test('the metrics of components have it as it was given', async () => {
        assert.equal(await save('near'), 204);
        const page = await (await fetch(`http://127.0.0.1:${sidecar.ports.metrics}/`)).text();
        const line = /^dapr_component_state_count\{(.*component="near".*)\}/m.exec(page)?.[1] ?? '';
        // One makes a label of nothing, the other leaves it out, which is the same to Prometheus.
        assert.equal(/namespace="(.*?)"/.exec(line)?.[1] ?? '', label);
      });

      test('keys have it as their prefix where there is one', async () => {
        assert.equal(await save('keyed'), 204);
        const database = new DatabaseSync(path.join(folder, 'keyed.db'), { readOnly: true });
        const row = database.prepare('SELECT key FROM state').get();
        database.close();
        assert.deepEqual({ ...row }, { key: `${prefix}||k` });
      });

      test('{namespace} in the metadata of a component is the namespace and the app', async () => {
        await access(path.join(folder, `${file}.db`));
      });

      test('components of another namespace are there only where none is given', async () => {
        assert.equal(await save('foreign'), foreign ? 204 : 400);
      });
    });
  }
}

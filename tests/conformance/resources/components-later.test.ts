import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { describe, test } from 'node:test';
import { eventually } from '@holdfast/test-servers';
import { findDaprd } from '../makes/daprd.ts';
import { startFlagged } from '../makes/flagged.ts';

const daprd = await findDaprd();
const makes = [undefined, ...(daprd === undefined ? [] : [daprd])];

// Side by side: each waits for a minute to be over.
describe('a component that was left out is tried again each minute', { concurrency: 2 }, () => {
  for (const make of makes) {
    test(make === undefined ? 'holdfast' : 'daprd', async (t) => {
      const folder = await mkdtemp(path.join(os.tmpdir(), 'hf-later-'));
      const away = path.join(folder, 'away');
      const late = `apiVersion: dapr.io/v1alpha1
kind: Component
metadata: { name: late }
spec:
  type: state.sqlite
  version: v1
  ignoreErrors: true
  metadata: [{ name: connectionString, value: "${path.join(away, 'state.db')}" }]
`;
      const sidecar = await startFlagged(make, { flags: {}, resources: { 'late.yaml': late } });
      t.after(async () => {
        await sidecar.stop();
        await rm(folder, { recursive: true });
      });
      const names = async (): Promise<readonly string[]> => {
        const answer = await fetch(`http://127.0.0.1:${sidecar.ports.http}/v1.0/metadata`);
        const { components = [] } = (await answer.json()) as { components?: { name: string }[] };
        return components.map(({ name }) => name);
      };
      assert.deepEqual(await names(), []);
      await mkdir(away);
      await eventually(names, (all) => all.includes('late'), 'it is there', 180_000);
    });
  }
});

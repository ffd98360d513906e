import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '@holdfast/test-servers';
import { bothMakes } from '../makes/both-makes.ts';
import { startFlagged } from '../makes/flagged.ts';

await bothMakes((make, executable) => {
  test(`${make}, HotReload switched off: changed files wait for SIGHUP`, async (t) => {
    const folder = await mkdtemp(path.join(tmpdir(), 'hf-'));
    const config = path.join(await mkdtemp(path.join(tmpdir(), 'hf-')), 'config.yaml');
    t.after(async () => {
      await rm(folder, { recursive: true });
      await rm(path.dirname(config), { recursive: true });
    });
    const write = (name: string, text: string) => writeFile(path.join(folder, name), text);
    await writeFile(config, CONFIGURATION);
    await write('first.yaml', component('first'));
    const sidecar = await startFlagged(executable, { flags: { config, 'resources-path': folder } });
    t.after(() => sidecar.stop());
    const names = async () => {
      const answer = await fetch(`http://127.0.0.1:${sidecar.ports.http}/v1.0/metadata`);
      const { components, resiliencies = [] } = (await answer.json()) as {
        components: { name: string }[];
        resiliencies?: { name: string }[];
      };
      return [...components, ...resiliencies].map(({ name }) => name).sort();
    };
    assert.deepEqual(await names(), ['first']);

    await write('second.yaml', component('second'));
    await write('policies.yaml', RESILIENCY);
    await rm(path.join(folder, 'first.yaml'));
    await sleep(2_500);
    assert.deepEqual(await names(), ['first']);

    sidecar.child.kill('SIGHUP');
    // daprd begins anew, and answers nobody meanwhile.
    await eventually(names, (found) => found.join() === 'policies,second', 'both are there');
  });
});

const CONFIGURATION = `
apiVersion: dapr.io/v1alpha1
kind: Configuration
metadata: { name: cold }
spec: { features: [{ name: HotReload, enabled: false }] }
`;

const RESILIENCY = `
apiVersion: dapr.io/v1alpha1
kind: Resiliency
metadata: { name: policies }
spec: { policies: { timeouts: { t: 5s } }, targets: { apps: { a: { timeout: t } } } }
`;

const component = (name: string): string => `
apiVersion: dapr.io/v1alpha1
kind: Component
metadata: { name: ${name} }
spec: { type: state.in-memory, version: v1, metadata: [] }
`;

import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { describe, test } from 'node:test';
import { bothMakes, type Make } from '../makes/both-makes.ts';
import { componentYaml } from '../makes/component-yaml.ts';
import { startFlagged } from '../makes/flagged.ts';

const HEAD = 'apiVersion: dapr.io/v1alpha1\nkind: Configuration\nmetadata: { name: c }\n';
const DENY = 'spec: { components: { deny: [state.in-memory] } }\n';

/** Whether it is in force shows in a component that it denies. */
const FILES: readonly (readonly [what: string, text: string, outcome: RegExp | string])[] = [
  ['one document', `${HEAD}${DENY}`, 'it denies'],
  ['one after a separator', `# one\n--- # here\n${HEAD}${DENY}`, 'it denies'],
  ['the first of two', `${HEAD}${DENY}---\n${HEAD}spec: {}\n`, 'it denies'],
  ['the second of two', `${HEAD}spec: {}\n---\n${HEAD}${DENY}`, 'it allows'],
  ['one before a broken one', `${HEAD}${DENY}---\na: [\n`, 'it denies'],
  ['one of another kind', `kind: Component\n${DENY}`, 'it denies'],
  ['one of no kind', DENY, 'it denies'],
  ['one of another version', `apiVersion: dapr.io/v9\nkind: Configuration\n${DENY}`, 'it denies'],
  ['one with scopes', `${HEAD}scopes: [other]\n${DENY}`, 'it denies'],
  ['no spec', HEAD, 'it allows'],
  ['a broken one', `${HEAD}spec: {\n`, /Fatal error from runtime: .*onfiguration/],
  ['a list', '- a\n', /Fatal error from runtime: .*onfiguration/],
  ['a spec that is no map', `${HEAD}spec: 5\n`, /Fatal error from runtime: .*onfiguration/],
  ['a key twice', `${HEAD}spec: {}\n${DENY}`, /Fatal error from runtime: .*(?:already|twice)/],
];

await bothMakes(conformance);

function conformance(make: Make, executable: string | undefined): void {
  test(`${make}, a Configuration that is a folder, or no UTF-8, keeps the sidecar from starting`, async (t) => {
    const folder = await mkdtemp(path.join(os.tmpdir(), 'hf-'));
    t.after(() => rm(folder, { recursive: true }));
    const latin = path.join(folder, 'latin.yaml');
    const text = 'kind: Configuration\nmetadata: { name: \xe9t\xe9 }\n';
    await writeFile(latin, Buffer.from(text, 'latin1'));

    for (const config of [folder, latin]) {
      const sidecar = await startFlagged(executable, { flags: { config }, wait: false });
      t.after(() => sidecar.stop());
      const [status] = await sidecar.exited;
      assert.equal(status, 1);
      assert.match(sidecar.said(), /Fatal error from runtime: .*(folder|directory|UTF-8)/);
    }
  });

  describe(`${make}, what a --config file holds`, () => {
    for (const [what, text, outcome] of FILES) {
      test(`${what}: ${outcome instanceof RegExp ? 'it does not start' : outcome}`, async () => {
        const it = { 'it.yaml': componentYaml('it', 'state.in-memory') };
        const folder = await mkdtemp(path.join(os.tmpdir(), 'hf-'));
        const config = path.join(folder, 'config.yaml');
        await writeFile(config, text);
        const wait = !(outcome instanceof RegExp);
        const sidecar = await startFlagged(executable, { flags: { config }, resources: it, wait });
        try {
          if (outcome instanceof RegExp) {
            assert.equal((await sidecar.exited)[0], 1);
            assert.match(sidecar.said(), outcome);
            return;
          }
          const answer = await fetch(`http://127.0.0.1:${sidecar.ports.http}/v1.0/metadata`);
          const { components = [] } = (await answer.json()) as { components?: unknown[] };
          assert.equal(components.length === 0 ? 'it denies' : 'it allows', outcome);
        } finally {
          await sidecar.stop();
          await rm(folder, { recursive: true });
        }
      });
    }
  });

  test(`${make}, times that make no sense are the defaults`, async (t) => {
    const flags = {
      'app-port': 1,
      'dapr-graceful-shutdown-seconds': -3,
      'enable-app-health-check': true,
      'app-health-probe-interval': -1,
      'app-health-probe-timeout': -1,
      'app-health-threshold': -1,
    } as const;
    const sidecar = await startFlagged(executable, { flags, wait: false });
    t.after(() => sidecar.stop());
    const asked = () => fetch(`http://127.0.0.1:${sidecar.ports.http}/v1.0/metadata`);
    for (;;) {
      const answer = await asked().catch(() => undefined);
      if (answer?.status === 200) break;
      assert.equal(sidecar.child.exitCode, null, sidecar.said());
    }
  });
}

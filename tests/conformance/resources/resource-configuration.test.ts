import assert from 'node:assert/strict';
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { describe, test } from 'node:test';
import { until } from '@holdfast/test-servers';
import { bothMakes, type Make } from '../makes/both-makes.ts';
import { startFlagged } from '../makes/flagged.ts';
import { ready } from '../makes/one-sidecar.ts';

await bothMakes(conformance);

/** A `Configuration` where the resources are, and not named by `--config`. */
function conformance(make: Make, executable: string | undefined): void {
  describe(`${make}, a Configuration among the resources`, () => {
    for (const [when, atStart] of [
      ['is there at the start', true],
      ['comes later', false],
    ] as const) {
      test(`that ${when} closes no API`, async (t) => {
        const folder = await mkdtemp(path.join(os.tmpdir(), 'holdfast-configuration-'));
        t.after(() => rm(folder, { recursive: true, force: true }));
        const write = async () => {
          await writeFile(path.join(folder, '.new'), CLOSED);
          await rename(path.join(folder, '.new'), path.join(folder, 'closed.yaml'));
        };
        if (atStart) await write();
        const sidecar = await startFlagged(executable, { flags: { 'resources-path': folder } });
        t.after(() => sidecar.stop());
        if (!atStart) {
          await write();
          // daprd restarts itself for one that comes, since 1.18.1.
          if (make === 'holdfast')
            await until('it is told', () => /nobody-may/.test(sidecar.said()));
          await ready(sidecar.ports.http);
        }
        const url = `http://127.0.0.1:${sidecar.ports.http}/v1.0/metadata`;
        assert.equal((await fetch(url)).status, 200);
      });
    }

    test('named by --config, it does', async (t) => {
      const folder = await mkdtemp(path.join(os.tmpdir(), 'holdfast-configuration-'));
      t.after(() => rm(folder, { recursive: true, force: true }));
      const config = path.join(folder, 'closed.yaml');
      await writeFile(config, CLOSED);
      const flags = { 'resources-path': folder, config };
      const sidecar = await startFlagged(executable, { flags });
      t.after(() => sidecar.stop());
      const url = `http://127.0.0.1:${sidecar.ports.http}/v1.0/metadata`;
      assert.equal((await fetch(url)).status, 404);
      assert.doesNotMatch(sidecar.said(), /has no effect among the resources/);
    });
  });
}

const CLOSED = `apiVersion: dapr.io/v1alpha1
kind: Configuration
metadata: { name: nobody-may }
spec:
  api:
    denied: [{ name: metadata, version: v1, protocol: http }]
`;

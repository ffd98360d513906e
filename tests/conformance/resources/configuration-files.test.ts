import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { bothMakes, type Make } from '../makes/both-makes.ts';
import { startFlagged } from '../makes/flagged.ts';

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

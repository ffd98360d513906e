import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { type Flagged, startFlagged } from './flagged.ts';

/** Starts a sidecar that finds others as `nameResolution` says, a mapping of YAML between braces. */
export async function startNamed(
  t: TestContext,
  executable: string | undefined,
  nameResolution: string,
): Promise<Flagged> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'holdfast-names-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const config = path.join(folder, 'config.yaml');
  await writeFile(
    config,
    `apiVersion: dapr.io/v1alpha1
kind: Configuration
metadata: { name: named }
spec: { nameResolution: ${nameResolution} }
`,
  );
  const sidecar = await startFlagged(executable, { flags: { config } });
  t.after(() => sidecar.stop());
  return sidecar;
}

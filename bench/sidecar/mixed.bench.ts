import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Child, startChild } from './child.ts';
import { loadGenerator } from './load.ts';
import { findDaprd, startDaprdPair, startMixedPair } from './pair.ts';
import { measure } from './sidecar.bench.ts';

/** A mesh that changes over: a sidecar of ours before a daprd, and a daprd before one of ours, beside two daprd. */
export async function run(): Promise<void> {
  const daprd = await findDaprd();
  if (daprd === undefined) {
    console.log('skipped: there is no real daprd to mix with (../shared/peers is not here)');
    return;
  }
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-bench-'));
  const children: Child[] = [];
  try {
    const app = startChild('app', [process.execPath, join(import.meta.dirname, 'app-process.ts')]);
    children.push(app.child);
    const { port } = JSON.parse(await app.firstLine) as { port: number };
    const behind = { folder, appPort: port };
    const pairs = [
      await startDaprdPair(daprd, behind),
      await startMixedPair('holdfast', daprd, behind),
      await startMixedPair('daprd', daprd, behind),
    ];
    children.push(...pairs.flatMap(({ first, second }) => [first, second]));
    await measure(pairs, loadGenerator());
  } finally {
    await Promise.all(children.map((child) => child.stop()));
    await rm(folder, { recursive: true, force: true });
  }
}

if (import.meta.main) await run();

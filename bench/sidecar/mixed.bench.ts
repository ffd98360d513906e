import { findDaprd } from '../../tests/conformance/makes/daprd.ts';
import { startDaprdPair, startMixedPair } from './pair.ts';
import { measured } from './sidecar.bench.ts';

/** A mesh that changes over: a sidecar of ours before a daprd, and a daprd before one of ours, beside two daprd. */
export async function run(): Promise<void> {
  const daprd = await findDaprd();
  if (daprd === undefined) {
    console.log('skipped: there is no real daprd to mix with (../shared/peers is not here)');
    return;
  }
  await measured(async (behind) => [
    await startDaprdPair(daprd, behind),
    await startMixedPair('holdfast', daprd, behind),
    await startMixedPair('daprd', daprd, behind),
  ]);
}

if (import.meta.main) await run();

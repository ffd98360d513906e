import { test } from 'node:test';
import { findDaprd } from './daprd.ts';

export type Make = 'holdfast' | 'daprd';

/** Runs a suite over our sidecar and over the real daprd, where this machine has it; `executable` is daprd's. */
export async function bothMakes(
  suite: (make: Make, executable: string | undefined) => void,
): Promise<void> {
  const daprd = await findDaprd();
  suite('holdfast', undefined);
  if (daprd === undefined) {
    test('real daprd', { skip: '../shared/peers has no daprd: nothing to compare with' }, () => {});
  } else suite('daprd', daprd);
}

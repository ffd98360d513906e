import { test } from 'node:test';
import { findDaprd, hasComponent } from './daprd.ts';

export type Make = 'holdfast' | 'daprd';

/**
 * Runs a suite over our sidecar and over the real daprd, where this machine has it, with the
 * component that the suite is about; `executable` is daprd's.
 */
export async function bothMakes(
  suite: (make: Make, executable: string | undefined) => void,
  component?: string,
): Promise<void> {
  const daprd = await findDaprd();
  suite('holdfast', undefined);
  if (daprd === undefined) {
    test('real daprd', { skip: '../shared/peers has no daprd: nothing to compare with' }, () => {});
  } else if (component !== undefined && !(await hasComponent(daprd, component))) {
    test('real daprd', {
      skip: `it was built without ${component}; HOLDFAST_DAPRD can name a build that has it`,
    }, () => {});
  } else suite('daprd', daprd);
}

import { copyFileSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import type { Suite } from '../build-suite.ts';
import { compileTests, daprSource, fetchDapr, moduleFolder } from '../dapr-source.ts';

const CONTRIB = 'github.com/dapr/components-contrib';

/** Dapr's suite of components, before our Go files of this folder. */
export interface ComponentSuite extends Suite {
  /** Dapr's lists and files of components. */
  readonly config: string;
}

/**
 * Compiles our Go files within Dapr's module, so that its versions of everything are theirs; Go keeps what has not changed.
 *
 * @throws Error that says what is missing.
 */
export function buildComponents(): ComponentSuite {
  const dapr = daprSource();
  fetchDapr(dapr);
  const within = path.join(dapr.folder, 'tests/holdfast-components');
  rmSync(within, { recursive: true, force: true });
  mkdirSync(within);
  for (const name of readdirSync(import.meta.dirname)) {
    if (name.endsWith('.go'))
      copyFileSync(path.join(import.meta.dirname, name), path.join(within, name));
  }
  const executable = path.join(dapr.kept, 'components');
  console.log('compiling the suite of components, which takes some minutes the first time …');
  compileTests(dapr, './tests/holdfast-components/', executable);
  const contrib = moduleFolder(dapr, CONTRIB);
  return {
    executable,
    // Files that its components name lie beside it.
    folder: path.join(contrib, 'tests/conformance'),
    config: path.join(contrib, 'tests/config'),
  };
}

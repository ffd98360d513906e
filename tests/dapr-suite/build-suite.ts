import { existsSync } from 'node:fs';
import path from 'node:path';
import { compileTests, daprSource, fetchDapr } from './dapr-source.ts';

/** Where the suite lies when it is compiled. */
export interface Suite {
  readonly executable: string;
  /** The suite expects to be started here. */
  readonly folder: string;
}

/**
 * Dapr's integration tests, compiled.
 *
 * @throws Error that says what is missing.
 */
export function buildSuite(): Suite {
  const dapr = daprSource();
  const executable = path.join(dapr.kept, 'suite');
  const folder = path.join(dapr.folder, 'tests/integration');
  if (existsSync(executable) && existsSync(folder)) return { executable, folder };
  fetchDapr(dapr);
  console.log('compiling the suite, which takes some minutes …');
  compileTests(dapr, './tests/integration/', executable, '-tags', 'integration');
  return { executable, folder };
}

import { globSync } from 'node:fs';
import { join } from 'node:path';

export const CORE = join(import.meta.dirname, '..', '..', 'packages', 'core');

/** Tests that are nothing but processes and servers: see `HOLDFAST_SERVERS` in `scripts/mutate.ts`. */
const START_PROCESSES = /\/redis\//;

/** Tests of policies together and of what all policies share; every mutant meets them. */
const COMPOSITION =
  /^src\/(pipeline|options|swap|errors)\.test|^src\/(standard|explain)\/|^src\/engine\/(stages|misbehaving-functions|async-context|abort|random-program)\.test/;

/** Seconds each: asked last, when nothing quicker has noticed. */
const SLOW =
  /\/(random-program|convergence)\.test|\/model\.test|\/keyed-pipeline\.test|^src\/readme\.test/;

/** The test files of core that can run in one process, relative to the package. */
export function coreTests(corePackage: string): string[] {
  return globSync('src/**/*.test.ts', { cwd: corePackage })
    .map((file) => file.replaceAll('\\', '/'))
    .filter((file) => !START_PROCESSES.test(file))
    .sort();
}

/** `retry` of `src/retry/backoff.ts`; the files beside `index.ts` are of the folder `src`. */
export function folderOf(file: string): string {
  return /^src\/([^/]+)\//.exec(file)?.[1] ?? 'src';
}

/**
 * The tests that a mutant of this folder meets, quickest to notice first: the folder's own, then those
 * of composition. Engine and what lies beside `index.ts` carry every policy, so all tests are theirs.
 */
export function testsFor(folder: string, tests: readonly string[]): string[] {
  const everyPolicy = folder === 'engine' || folder === 'src';
  const rank = (file: string) =>
    (folderOf(file) === folder ? 0 : COMPOSITION.test(file) ? 2 : 4) + (SLOW.test(file) ? 1 : 0);
  return tests
    .filter((file) => everyPolicy || rank(file) < 4)
    .sort((a, b) => rank(a) - rank(b) || a.localeCompare(b));
}

/**
 * The code that is mutated, relative to the package. What `redis/` does is proven against a real Redis,
 * which no mutant starts; the testing kit is judged by every test.
 */
export function mutatedFiles(corePackage: string): string[] {
  return globSync('src/**/*.ts', { cwd: corePackage })
    .map((file) => file.replaceAll('\\', '/'))
    .filter((file) => !/\.test\.ts$|\/(redis|testing)\/|\/index\.ts$/.test(file))
    .sort();
}

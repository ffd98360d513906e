import { globSync } from 'node:fs';
import { join } from 'node:path';

export const CORE = join(import.meta.dirname, '..', '..', 'packages', 'core');

/** Tests that are nothing but processes and servers: see `HOLDFAST_SERVERS` in `scripts/mutate.ts`. */
const START_PROCESSES = /\/redis\//;

/** Tests of policies together and of what all policies share; every mutant meets them. */
const COMPOSITION =
  /^src\/(pipeline|options|swap|errors)\.test|^src\/(standard|explain)\/|^src\/engine\/(stages|misbehaving-functions|async-context|abort|random-program)\.test/;

/** Seconds each: asked last, when nothing quicker has noticed, and only about their own folder or all policies. */
const SLOW =
  /\/(random-program|convergence|high-start|shared-circuit)\.test|\/model\.test|\/(keyed-pipeline|weight)\.test|^src\/readme\.test/;

/** The test files of core that can run in one process, relative to the package. */
export function coreTests(corePackage: string): string[] {
  return globSync('src/**/*.test.ts', { cwd: corePackage })
    .map((file) => file.replaceAll('\\', '/'))
    .filter((file) => !START_PROCESSES.test(file))
    .sort();
}

/** Folders whose code is built on that of another: what they prove of it counts as well. */
const BUILT_ON: Readonly<Record<string, readonly string[]>> = {
  bulkhead: ['adaptive-limit'],
};

/** `retry` of `src/retry/backoff.ts`; the files beside `index.ts` are of the folder `src`. */
export function folderOf(file: string): string {
  return /^src\/([^/]+)\//.exec(file)?.[1] ?? 'src';
}

/**
 * The tests that a mutant of this folder meets, in stages: a process runs the next only where the one
 * before has noticed nothing. The folder's own, its slow ones and those of composition, all others.
 * Engine and what lies beside `index.ts` carry every policy, so all tests are theirs but the slow ones
 * of other folders: every survivor would cost ten seconds more.
 */
export function stagesFor(folder: string, tests: readonly string[]): string[][] {
  const everyPolicy = folder === 'engine' || folder === 'src';
  const stageOf = (file: string) => {
    if (folderOf(file) === folder) return SLOW.test(file) ? 1 : 0;
    if (COMPOSITION.test(file)) return 1;
    if (BUILT_ON[folder]?.includes(folderOf(file)) && !SLOW.test(file)) return 1;
    return SLOW.test(file) ? 3 : 2;
  };
  const ranked = [...tests].sort((a, b) => Number(SLOW.test(a)) - Number(SLOW.test(b)));
  return [0, 1, 2]
    .filter((stage) => stage < 2 || everyPolicy)
    .map((stage) => ranked.filter((file) => stageOf(file) === stage))
    .filter((files) => files.length > 0);
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

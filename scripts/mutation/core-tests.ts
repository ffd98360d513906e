import { globSync } from 'node:fs';
import { join } from 'node:path';

export const CORE = join(import.meta.dirname, '..', '..', 'packages', 'core');

/** Five processes for half a minute: too long for each mutant. */
const MANY_PROCESSES = /\/shared-circuit-processes\.test/;

/** Its code does nothing without its server: only its mutants meet one, for starting it takes longest. */
const SERVED = 'redis';

export const needsServers = (folders: readonly string[]): boolean => folders.includes(SERVED);

/** Tests of policies together and of what all policies share; every mutant meets them. */
const COMPOSITION =
  /^src\/(pipeline|options|unknown-options|swap|errors)\.test|^src\/(standard|explain)\/|^src\/engine\/(stages|misbehaving-functions|async-context|abort|random-program)\.test/;

/** Seconds each: asked last, when nothing quicker has noticed, and only about their own folder or all policies. */
const SLOW =
  /\/(random-program|convergence|high-start|shared-circuit)\.test|\/model\.test|\/many-keys\.test|^src\/readme\.test/;

/** The test files of core that can run in one process, relative to the package. */
export function coreTests(corePackage: string): string[] {
  return globSync('src/**/*.test.ts', { cwd: corePackage })
    .map((file) => file.replaceAll('\\', '/'))
    .filter((file) => !MANY_PROCESSES.test(file))
    .sort();
}

/** These try many cases, or load what makes them up: asked when the folder's quick ones have noticed nothing. */
const MANY_CASES =
  /\/(acceptance|algorithms|backoff|capacity|circuit-store|(count|sample|time)-window|entries|gate|idle-keys|kept|live-quantile|lru|pairs|retry-budget|(warming-)?turns|virtual-clock|weight|wheel)\.test/;

/** What the tests of other folders prove of a folder's code: it is built on, or meets a contract. */
const ELSEWHERE: Readonly<Record<string, RegExp>> = {
  bulkhead: /^src\/adaptive-limit\//,
  redis: /\/(cache-store|circuit-store)\.test/,
};

/** `retry` of `src/retry/backoff.ts`; the files beside `index.ts` are of the folder `src`. */
export function folderOf(file: string): string {
  return /^src\/([^/]+)\//.exec(file)?.[1] ?? 'src';
}

/**
 * The tests that a mutant of this folder meets, in stages: a process runs the next only where the one
 * before has noticed nothing. The folder's own, first the quick ones; its slow ones and those of
 * composition; all others.
 * Engine and what lies beside `index.ts` carry every policy, so all tests are theirs but the slow ones
 * of other folders: every survivor would cost ten seconds more.
 */
export function stagesFor(folder: string, tests: readonly string[]): string[][] {
  const everyPolicy = folder === 'engine' || folder === 'src';
  const stageOf = (file: string) => {
    if (folderOf(file) === folder && !SLOW.test(file)) return MANY_CASES.test(file) ? 1 : 0;
    if (folderOf(file) === folder || COMPOSITION.test(file)) return 2;
    if (SLOW.test(file) || folderOf(file) === SERVED) return undefined;
    if (ELSEWHERE[folder]?.test(file)) return 2;
    return everyPolicy ? 3 : undefined;
  };
  const ranked = [...tests].sort((a, b) => Number(SLOW.test(a)) - Number(SLOW.test(b)));
  return [0, 1, 2, 3]
    .map((stage) => ranked.filter((file) => stageOf(file) === stage))
    .filter((files) => files.length > 0);
}

/** The code that is mutated, relative to the package; of `testing/`, what is published. */
export function mutatedFiles(corePackage: string): string[] {
  return globSync('src/**/*.ts', { cwd: corePackage })
    .map((file) => file.replaceAll('\\', '/'))
    .filter((file) => !/\.test\.ts$|\/testing\/(decorated|rate-taker)-|\/index\.ts$/.test(file))
    .sort();
}

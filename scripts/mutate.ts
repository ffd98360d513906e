/**
 * `npm run mutate -- [folder …]`: changes the code of `packages/core` in a copy, one small thing at a
 * time, and asks the tests whether they notice. Prints a table by folder and writes what survived to
 * `packages/core/.holdfast/mutation/FOLDERS/survivors.md`; fails below `--break` per cent.
 *
 *     --sample 20     only so many per cent of the mutants, the same ones for the same --seed
 *     --seed 1        which ones
 *     --again         only what survived the last run over the same folders: for tests that were added
 *     --abreast 2     processes at a time
 *     --incremental   keep what the last run found out about code and tests that are as they were
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { schema } from '@stryker-mutator/api/core';
import { Stryker } from '@stryker-mutator/core';
import { commandLine, wholeNumber } from './command-line.ts';
import { changedFiles, survivingPlaces, withSecond } from './mutation/again.ts';
import { CORE, folderOf, mutatedFiles } from './mutation/core-tests.ts';
import type { MutationOptions } from './mutation/mutation-options.ts';
import { type FolderScore, ratioOf, scoresOf, scoreTable } from './mutation/score.ts';
import { spentBy } from './mutation/spent.ts';

const { values, positionals } = commandLine({
  allowPositionals: true,
  options: {
    sample: { type: 'string', default: '100' },
    seed: { type: 'string', default: '1' },
    again: { type: 'boolean', default: false },
    abreast: { type: 'string', default: '2' },
    break: { type: 'string', default: '85' },
    incremental: { type: 'boolean', default: false },
  },
});
const folders = [...new Set(mutatedFiles(CORE).map(folderOf))].sort();
const unknown = positionals.filter((folder) => !folders.includes(folder));
if (unknown.length > 0) {
  console.error(`Nothing to mutate in ${unknown.join(', ')}. There are: ${folders.join(', ')}.`);
  process.exit(1);
}
const chosen = positionals.length > 0 ? positionals : folders;
const OUT = `.holdfast/mutation/${positionals.length > 0 ? positionals.join('-') : 'all'}`;
const REPORT = `${OUT}/report.json`;
process.chdir(CORE);
const before = values.again ? reportOf(REPORT) : undefined;
const changed = before ? changedFiles(before, (fileName) => readFileSync(fileName, 'utf8')) : [];
if (changed.length > 0) {
  console.error(`${changed.join(', ')} has changed since: run it whole.`);
  process.exit(1);
}
const holdfast: MutationOptions = {
  folders: chosen,
  share: wholeNumber('sample', values.sample, 1, 100) / 100,
  seed: wholeNumber('seed', values.seed, 0, 2 ** 31),
  again: before && survivingPlaces(before),
};
// What an earlier run compiled is of a copy that is gone.
rmSync(`${OUT}/compiled`, { recursive: true, force: true });
mkdirSync(OUT, { recursive: true });
// Shorter where a test only asks more often for the same.
process.env.HOLDFAST_SEEDS ??= '40';
process.env.NODE_COMPILE_CACHE ??= join(CORE, OUT, 'compiled');
const plugin = (name: string) => join(import.meta.dirname, 'mutation', `${name}.ts`);
const options: Record<string, unknown> = {
  mutate: mutatedFiles(CORE).filter((file) => chosen.includes(folderOf(file))),
  plugins: ['node-test-runner', 'sample-checker', 'survivor-reporter'].map(plugin),
  testRunner: 'node-test',
  checkers: ['sample'],
  holdfast,
  coverageAnalysis: 'perTest',
  concurrency: wholeNumber('abreast', values.abreast, 1, 64),
  incremental: values.incremental,
  incrementalFile: `${OUT}/incremental.json`,
  tempDirName: `${OUT}/sandbox`,
  reporters: ['json', 'progress-append-only', 'survivors'],
  jsonReporter: { fileName: REPORT },
  ignorePatterns: ['.holdfast'],
  // Generous: on a machine with other work a slow run must not pass for an endless one. Where the
  // system says what a process has spent, that ends it long before (`mutation/spent.ts`).
  timeoutMS: spentBy('self', 0) === undefined ? 15_000 : 300_000,
  timeoutFactor: 2,
  logLevel: 'warn',
  warnings: { unknownOptions: false },
};
await new Stryker(options).runMutationTest();

if (before !== undefined) {
  writeFileSync(REPORT, JSON.stringify(withSecond(before, reportOf(REPORT))));
}
const scores = scoresOf(reportOf(REPORT));
writeFileSync(`${OUT}/survivors.md`, survivorsText(scores));
console.log(`\n${scoreTable(scores)}\n\nSurvivors: packages/core/${OUT}/survivors.md`);
if (ratioOf(scores) * 100 < Number(values.break)) {
  console.error(`The score is below ${values.break} %.`);
  process.exitCode = 1;
}

function reportOf(fileName: string): schema.MutationTestResult {
  return JSON.parse(readFileSync(fileName, 'utf8'));
}

function survivorsText(of: readonly FolderScore[]): string {
  const known = of.flatMap(({ survivors }) => survivors);
  return known
    .filter(({ equivalent }) => equivalent === undefined)
    .map(
      ({ file, line, source, original, replacement, mutator }) =>
        `${file}:${line} ${mutator}\n    ${source}\n    ${original}  ⇒  ${replacement}\n`,
    )
    .join('\n');
}

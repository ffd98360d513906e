/**
 * One process, one mutant: runs test files in this process and says on descriptor 3 how they ended.
 * Ends at the first failure. Which mutant lives is in `__STRYKER_ACTIVE_MUTANT__` before anything is
 * loaded, so that constants of a module are mutated like everything else.
 */
import { writeSync } from 'node:fs';
import { run } from 'node:test';
import type { InstrumenterContext } from '@stryker-mutator/api/core';
import { type Spent, spentBy } from './spent.ts';

export interface TestProcessTask {
  readonly files: readonly string[];
  /** Coverage is counted under this name; a mutant is not counted. */
  readonly testId: string;
  readonly hitLimit?: number;
  /** Whether its tests may start servers; without, those that would are skipped. */
  readonly servers?: boolean;
}

export interface TestProcessVerdict {
  readonly failure?: { readonly file: string; readonly test: string; readonly message: string };
  readonly tests: number;
  /** A loop went round a hundred times as often as without the mutant. */
  readonly endless?: boolean;
  readonly spent?: Spent | undefined;
  readonly coverage?: InstrumenterContext['mutantCoverage'];
}

const task = JSON.parse(process.argv[2]!) as TestProcessTask;
const instrumented: InstrumenterContext = { currentTestId: task.testId };
if (task.hitLimit !== undefined) {
  instrumented.hitLimit = task.hitLimit;
  instrumented.hitCount = 0;
}
Object.assign(globalThis, { __stryker__: instrumented });

let tests = 0;
let verdict: TestProcessVerdict | undefined;

process.once('exit', () => {
  verdict ??= {
    tests,
    failure: { file: task.testId, test: '', message: 'The process ended before its tests did.' },
  };
  const endless = (instrumented.hitCount ?? 0) > (task.hitLimit ?? Number.POSITIVE_INFINITY);
  const coverage = instrumented.mutantCoverage;
  const spent = spentBy('self', performance.now());
  writeSync(3, JSON.stringify({ ...verdict, endless, spent, ...(coverage && { coverage }) }));
});

const stream = run({ files: [...task.files], isolation: 'none' });
stream.on('test:pass', () => {
  tests += 1;
});
stream.on('test:fail', ({ name, file, details }) => {
  const message = String(details.error.cause ?? details.error).slice(0, 300);
  verdict = { tests, failure: { file: file ?? '', test: name, message } };
  process.exit();
});
stream.once('end', () => {
  verdict = { tests };
  process.exit();
});
stream.resume();

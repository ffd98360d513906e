/**
 * Stryker samples nothing. A checker may reject mutants before they are run, and those count in no
 * score: this one rejects what is not in the sample, or did not survive the run that is made again.
 */
import { relative } from 'node:path';
import { type Checker, type CheckResult, CheckStatus } from '@stryker-mutator/api/check';
import type { Mutant } from '@stryker-mutator/api/core';
import { commonTokens, declareClassPlugin, PluginKind, tokens } from '@stryker-mutator/api/plugin';
import { placeOf } from './again.ts';
import type { MutationOptions } from './mutation-options.ts';
import { inSample } from './sample.ts';

export class SampleChecker implements Checker {
  static inject = tokens(commonTokens.options);
  readonly #options: MutationOptions;

  constructor(options: object) {
    this.#options = (options as { holdfast: MutationOptions }).holdfast;
  }

  async init(): Promise<void> {}

  async group(mutants: Mutant[]): Promise<string[][]> {
    return [mutants.map((mutant) => mutant.id)];
  }

  async check(mutants: Mutant[]): Promise<Record<string, CheckResult>> {
    const { share, seed, again } = this.#options;
    const known = again && new Set(again);
    return Object.fromEntries(
      mutants.map((mutant) => {
        const fileName = relative(process.cwd(), mutant.fileName).replace(/^.*?(?=src\/)/, '');
        const isIn = known
          ? known.has(placeOf(fileName, { ...mutant, location: asInReport(mutant) }))
          : inSample({ ...mutant, fileName }, share, seed);
        const result: CheckResult = isIn
          ? { status: CheckStatus.Passed }
          : { status: CheckStatus.CompileError, reason: 'Not in the sample.' };
        return [mutant.id, result];
      }),
    );
  }
}

/** Stryker counts lines and columns from 0, its report from 1. */
function asInReport({ location: { start, end } }: Mutant): Mutant['location'] {
  const fromOne = ({ line, column }: typeof start) => ({ line: line + 1, column: column + 1 });
  return { start: fromOne(start), end: fromOne(end) };
}

export const strykerPlugins = [declareClassPlugin(PluginKind.Checker, 'sample', SampleChecker)];

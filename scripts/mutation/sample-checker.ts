/**
 * Stryker samples nothing. A checker may reject mutants before they are run, and those count in no
 * score: this one rejects what is not in the sample, or did not survive the run that is made again.
 * What is known to be equivalent is not run either, for that takes longest, and counts as survived.
 */
import { readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { type Checker, type CheckResult, CheckStatus } from '@stryker-mutator/api/check';
import type { Mutant } from '@stryker-mutator/api/core';
import { commonTokens, declareClassPlugin, PluginKind, tokens } from '@stryker-mutator/api/plugin';
import { placeOf } from './again.ts';
import { CORE } from './core-tests.ts';
import type { MutationOptions } from './mutation-options.ts';
import { inSample } from './sample.ts';
import { EQUIVALENT, survivor } from './score.ts';

export class SampleChecker implements Checker {
  static inject = tokens(commonTokens.options);
  readonly #options: MutationOptions;
  readonly #lines = new Map<string, readonly string[]>();

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
        const reported = { ...mutant, location: asInReport(mutant) };
        const isIn = known
          ? known.has(placeOf(fileName, reported))
          : inSample({ ...mutant, fileName }, share, seed);
        const reason = isIn ? this.#whyEquivalent(fileName, reported) : 'Not in the sample.';
        const result: CheckResult =
          reason === undefined
            ? { status: CheckStatus.Passed }
            : { status: CheckStatus.CompileError, reason };
        return [mutant.id, result];
      }),
    );
  }

  #whyEquivalent(fileName: string, mutant: Parameters<typeof survivor>[2]): string | undefined {
    let lines = this.#lines.get(fileName);
    if (lines === undefined) {
      lines = readFileSync(join(CORE, fileName), 'utf8').split('\n');
      this.#lines.set(fileName, lines);
    }
    const why = survivor(fileName, lines, mutant).equivalent;
    return why && `${EQUIVALENT}${why}`;
  }
}

/** Stryker counts lines and columns from 0, its report from 1. */
function asInReport({ location: { start, end } }: Mutant): Mutant['location'] {
  const fromOne = ({ line, column }: typeof start) => ({ line: line + 1, column: column + 1 });
  return { start: fromOne(start), end: fromOne(end) };
}

export const strykerPlugins = [declareClassPlugin(PluginKind.Checker, 'sample', SampleChecker)];

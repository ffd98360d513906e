/**
 * Stryker samples nothing. A checker may reject mutants before they are run, and those count in no
 * score: this one rejects what is not in the sample.
 */
import { relative } from 'node:path';
import { type Checker, type CheckResult, CheckStatus } from '@stryker-mutator/api/check';
import type { Mutant } from '@stryker-mutator/api/core';
import { commonTokens, declareClassPlugin, PluginKind, tokens } from '@stryker-mutator/api/plugin';
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
    const { share, seed } = this.#options;
    return Object.fromEntries(
      mutants.map((mutant) => {
        const fileName = relative(process.cwd(), mutant.fileName).replace(/^.*?(?=src\/)/, '');
        const result: CheckResult = inSample({ ...mutant, fileName }, share, seed)
          ? { status: CheckStatus.Passed }
          : { status: CheckStatus.CompileError, reason: 'Not in the sample.' };
        return [mutant.id, result];
      }),
    );
  }
}

export const strykerPlugins = [declareClassPlugin(PluginKind.Checker, 'sample', SampleChecker)];

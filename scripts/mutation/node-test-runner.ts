/**
 * A plugin of Stryker's that runs `node:test` from TypeScript sources, one process per mutant, with
 * the tests of the mutant's folder first. A test file is one "test" to Stryker.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { relative } from 'node:path';
import { commonTokens, declareClassPlugin, PluginKind, tokens } from '@stryker-mutator/api/plugin';
import {
  type DryRunOptions,
  type DryRunResult,
  DryRunStatus,
  type MutantRunOptions,
  type MutantRunResult,
  MutantRunStatus,
  type TestResult,
  type TestRunner,
  TestStatus,
} from '@stryker-mutator/api/test-runner';
import { coreTests, folderOf, needsServers, stagesFor } from './core-tests.ts';
import type { MutationOptions } from './mutation-options.ts';
import { runTestProcess } from './run-test-process.ts';
import { limitOf, type Spent } from './spent.ts';

/** Before Stryker's own limit, which would leave our process running. */
const SHARE_OF_LIMIT = 0.9;

/** What each test file spent without a mutant. In the sandbox: mutants run in other processes. */
const SPENT = 'spent-by-file.json';

export class NodeTestRunner implements TestRunner {
  static inject = tokens(commonTokens.options);
  readonly #folders: readonly string[];
  #spent: Record<string, Spent> | undefined;

  constructor(options: object) {
    this.#folders = (options as { holdfast: MutationOptions }).holdfast.folders;
    // Stryker has been killed: an endless mutant must not outlive it.
    process.once('disconnect', () => process.exit());
  }

  // Every process begins with its mutant alive: no other kind of activation is needed.
  capabilities() {
    return { reloadEnvironment: true };
  }

  async dryRun({ timeout }: DryRunOptions): Promise<DryRunResult> {
    const tests: TestResult[] = [];
    const perTest: Record<string, Record<string, number>> = {};
    const spent: Record<string, Spent> = {};
    const all = coreTests(process.cwd());
    for (const file of new Set(this.#folders.flatMap((folder) => stagesFor(folder, all).flat()))) {
      const begunMs = performance.now();
      const task = { files: [file], testId: file, servers: needsServers(this.#folders) };
      const end = await runTestProcess(task, undefined, timeout);
      if (end.kind === 'too-long') return { status: DryRunStatus.Timeout, reason: file };
      const known = { id: file, name: file, timeSpentMs: performance.now() - begunMs };
      tests.push(
        end.failure === undefined
          ? { ...known, status: TestStatus.Success }
          : {
              ...known,
              status: TestStatus.Failed,
              failureMessage: `${end.failure.test}: ${end.failure.message}`,
            },
      );
      perTest[file] = end.coverage?.perTest[file] ?? {};
      if (end.spent !== undefined) spent[file] = end.spent;
    }
    writeFileSync(SPENT, JSON.stringify(spent));
    return { status: DryRunStatus.Complete, tests, mutantCoverage: { static: {}, perTest } };
  }

  async mutantRun(options: MutantRunOptions): Promise<MutantRunResult> {
    const folder = folderOf(relative(process.cwd(), options.sandboxFileName));
    const covering = options.testFilter ?? coreTests(process.cwd());
    let nrOfTests = 0;
    for (const files of stagesFor(folder, covering)) {
      const result = await this.#stage(files, needsServers([folder]), options);
      if (result.status !== MutantRunStatus.Survived) return result;
      nrOfTests += result.nrOfTests;
    }
    return { status: MutantRunStatus.Survived, nrOfTests };
  }

  async #stage(
    files: readonly string[],
    servers: boolean,
    options: MutantRunOptions,
  ): Promise<MutantRunResult> {
    const { activeMutant, hitLimit, timeout } = options;
    this.#spent ??= existsSync(SPENT) ? JSON.parse(readFileSync(SPENT, 'utf8')) : {};
    const end = await runTestProcess(
      { files, testId: 'mutant', servers, ...(hitLimit !== undefined && { hitLimit }) },
      activeMutant.id,
      timeout * SHARE_OF_LIMIT,
      limitOf(files, this.#spent!),
    );
    if (end.kind === 'too-long' || end.endless) return { status: MutantRunStatus.Timeout };
    const { failure, tests } = end;
    if (failure === undefined) return { status: MutantRunStatus.Survived, nrOfTests: tests };
    return {
      status: MutantRunStatus.Killed,
      killedBy: [relative(process.cwd(), failure.file) || files[0]!],
      failureMessage: `${failure.test}: ${failure.message}`,
      nrOfTests: tests + 1,
    };
  }
}

export const strykerPlugins = [
  declareClassPlugin(PluginKind.TestRunner, 'node-test', NodeTestRunner),
];

import type { schema } from '@stryker-mutator/api/core';
import { folderOf } from './core-tests.ts';
import { whyEquivalent } from './equivalents.ts';

export interface Survivor {
  readonly file: string;
  readonly line: number;
  /** The line of source, without its indentation. */
  readonly source: string;
  /** What the mutant changed, and to what. */
  readonly original: string;
  readonly replacement: string;
  readonly mutator: string;
  /** Why no test can tell it from the original, where that is so. */
  readonly equivalent: string | undefined;
}

export interface FolderScore {
  readonly folder: string;
  readonly mutants: number;
  readonly killed: number;
  readonly timedOut: number;
  readonly survivors: readonly Survivor[];
}

/** Begins the reason why a mutant was not run and counts as survived all the same. */
export const EQUIVALENT = 'Equivalent: ';

/** Adds up Stryker's report by folder. What it calls invalid (not in the sample) is left out. */
export function scoresOf(report: schema.MutationTestResult): FolderScore[] {
  const folders = new Map<string, FolderScore>();
  for (const [file, { source, mutants }] of Object.entries(report.files)) {
    const folder = folderOf(file);
    const counted = mutants.filter(
      (mutant) => isEquivalent(mutant) || !/Error|Ignored|Pending/.test(mutant.status),
    );
    const before = folders.get(folder) ?? {
      folder,
      mutants: 0,
      killed: 0,
      timedOut: 0,
      survivors: [],
    };
    const of = (status: schema.MutantStatus) =>
      counted.filter((mutant) => mutant.status === status);
    const alive = [...of('Survived'), ...of('NoCoverage'), ...counted.filter(isEquivalent)];
    folders.set(folder, {
      folder,
      mutants: before.mutants + counted.length,
      killed: before.killed + of('Killed').length,
      timedOut: before.timedOut + of('Timeout').length,
      survivors: [
        ...before.survivors,
        ...alive.map((mutant) => survivor(file, source.split('\n'), mutant)),
      ],
    });
  }
  return [...folders.values()].sort((a, b) => a.folder.localeCompare(b.folder));
}

/** Of all mutants, the part that tests noticed (0 … 1). Equivalent mutants count against us. */
export function ratioOf(scores: readonly FolderScore[]): number {
  const noticed = sum(scores, ({ killed, timedOut }) => killed + timedOut);
  return (
    noticed /
    Math.max(
      1,
      sum(scores, ({ mutants }) => mutants),
    )
  );
}

/** A table of Markdown, a row per folder and one for all. */
export function scoreTable(scores: readonly FolderScore[]): string {
  const row = (name: string, of: readonly FolderScore[]) =>
    `| ${[
      name,
      sum(of, ({ mutants }) => mutants),
      sum(of, ({ killed }) => killed),
      sum(of, ({ timedOut }) => timedOut),
      sum(of, ({ survivors }) => survivors.length),
      sum(of, ({ survivors }) => survivors.filter((one) => one.equivalent !== undefined).length),
      sum(of, ({ mutants }) => mutants) === 0 ? '–' : `${(ratioOf(of) * 100).toFixed(1)} %`,
    ].join(' | ')} |`;
  return [
    '| folder | mutants | killed | timed out | survived | of these equivalent | score |',
    '|---|---|---|---|---|---|---|',
    ...scores.map((score) => row(score.folder, [score])),
    row('all', scores),
  ].join('\n');
}

const isEquivalent = ({ statusReason }: schema.MutantResult) =>
  statusReason?.startsWith(EQUIVALENT) === true;

export function survivor(
  file: string,
  lines: readonly string[],
  {
    location,
    replacement = '',
    mutatorName,
  }: Pick<schema.MutantResult, 'location' | 'mutatorName' | 'replacement'>,
): Survivor {
  const { start, end } = location;
  const source = lines[start.line - 1]!;
  const until = end.line === start.line ? end.column - 1 : undefined;
  const found = {
    file,
    line: start.line,
    source: source.trim(),
    original: source.slice(start.column - 1, until),
    replacement,
    mutator: mutatorName,
  };
  return { ...found, equivalent: whyEquivalent(found) };
}

function sum(scores: readonly FolderScore[], of: (score: FolderScore) => number): number {
  return scores.reduce((total, score) => total + of(score), 0);
}

import type { Verdict } from './follow-run.ts';

/** How a case counts: `passed`, or why it did not. */
export type Count = 'passed' | 'on purpose' | 'not yet' | 'unexpected';

export const COUNTS: readonly Count[] = ['passed', 'on purpose', 'not yet', 'unexpected'];

/** `why` is what `differences.ts` says of the case: `P: …` or `N: …`. */
export function countOf(verdict: Verdict, why: string | undefined): Count {
  if (verdict === 'passed' || verdict === 'skipped') return 'passed';
  if (why === undefined) return 'unexpected';
  return why.startsWith('P:') ? 'on purpose' : 'not yet';
}

/** A table with a row for each group, and one for all. */
export function tableOf(groups: ReadonlyMap<string, readonly Count[]>): string {
  const row = (name: string, counts: readonly Count[]) =>
    [
      name,
      counts.length,
      ...COUNTS.map((count) => counts.filter((one) => one === count).length),
    ].map(String);
  const rows = [
    ['group', 'cases', ...COUNTS],
    ...[...groups].map(([name, counts]) => row(name, counts)),
    row('all', [...groups.values()].flat()),
  ];
  const widths = rows[0]!.map((_, at) => Math.max(...rows.map((cells) => cells[at]!.length)));
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, at) => (at === 0 ? cell.padEnd(widths[at]!) : cell.padStart(widths[at]!)))
      .join('  ');
  return rows.map(line).join('\n');
}

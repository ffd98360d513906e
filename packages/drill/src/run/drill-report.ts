import { accountLines } from '../books/account-lines.ts';
import type { Account } from '../books/accounting.ts';
import type { Step } from '../transcript/step.ts';
import { milliseconds } from '../transcript/step-lines.ts';

/** How a drill went: the same as data as what was printed. */
export interface DrillReport {
  readonly name: string;
  readonly promise: string;
  readonly verdict: 'passed' | 'failed' | 'interrupted';
  /** When it began, ms since the Unix epoch. */
  readonly startedWallMs: number;
  readonly tookMs: number;
  readonly steps: readonly Step[];
  /** By goal, ms since the end of the last fault was ordered. */
  readonly recovery: Readonly<Record<string, number>>;
  /** Missing when the books could not be read, or the drill was interrupted. */
  readonly account?: Account;
}

/** The goals that the script has reached, by name. */
export function recoveryOf(steps: readonly Step[]): Readonly<Record<string, number>> {
  const goals = steps.map((step) => (step.kind === 'recovered' ? step.goals : {}));
  return Object.assign({}, ...goals);
}

/** The end of a drill's transcript: the accounting and the verdict. */
export function closingLines({ name, verdict, account, tookMs }: DrillReport): readonly string[] {
  const books = account === undefined ? [] : accountLines(account);
  const mark = verdict === 'passed' ? '✅' : '❌';
  return [
    ...(books.length === 0 ? [] : ['accounting, by sets of ids:']),
    ...books.map((line) => `  ${line}`),
    `${mark} ${name} ${verdict} after ${milliseconds(tookMs)}`,
  ].map((line) => `${' '.repeat(10)}${line}`);
}

/** One line for the summary of a run. */
export function summaryLine(report: DrillReport): string {
  const { name, verdict, tookMs, recovery, account } = report;
  const mark = verdict === 'passed' ? '✅' : '❌';
  const goals = Object.entries(recovery).map(([goal, ms]) => `${goal} ${milliseconds(ms)}`);
  const books = account && [`accepted ${account.accepted}, lost ${account.lost.length}`];
  const head = `${mark} ${name.padEnd(14)} ${milliseconds(tookMs).padStart(9)}`;
  return [head, ...(books ?? []), ...goals].join(' · ');
}

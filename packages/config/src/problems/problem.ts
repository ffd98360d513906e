import { RULES, type RuleName, type Severity } from './rules.ts';

/** Something wrong, or risky, at one place of one file. */
export interface Problem {
  /** `error`: the file does not mean what it says. `warning`: it does, and that may be unwise. */
  readonly severity: Severity;
  /** As it was given, or found under the directory that was given. */
  readonly file: string;
  /** From 1; 1 where the problem is the file itself. */
  readonly line: number;
  /** From 1, in UTF-16 units, as editors count. */
  readonly column: number;
  readonly rule: RuleName;
  /** One sentence without its full stop. */
  readonly message: string;
  /** What was probably meant: a name to put in place of the one that is there. */
  readonly meant?: string;
}

/** A problem on one line, as compilers print it, so that editors and people can jump to it. */
export function formatProblem(problem: Problem): string {
  const { file, line, column, severity, rule, message, meant } = problem;
  const end = meant === undefined ? '.' : `; did you mean \`${meant}\`?`;
  return `${file}:${line}:${column} ${severity} ${rule}: ${message}${end}`;
}

/**
 * Whether a file with this problem cannot be taken as it stands. A running
 * process keeps its last good policies then; a starting one goes on without
 * the broken entry, as Dapr does.
 */
export function isBroken(problem: Problem): boolean {
  return RULES[problem.rule].effect !== 'loads';
}

import type { LineCounter } from 'yaml';
import type { Problem } from './problem.ts';
import { RULES, type RuleName } from './rules.ts';

/** Where something is written. */
export interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** Beyond so many problems a file is not a policy file; nobody reads on. */
export const PROBLEM_LIMIT = 100;

/** A problem of `rule` at `place`. */
export function problemAt(place: Place, rule: RuleName, message: string, meant?: string): Problem {
  const { file, line, column } = place;
  const problem = { severity: RULES[rule].severity, file, line, column, rule, message };
  return meant === undefined ? problem : { ...problem, meant };
}

/** Collects the problems of one file, up to a limit, and knows its lines. */
export class Report {
  readonly file: string;
  readonly problems: Problem[] = [];
  readonly #lines: LineCounter;

  constructor(file: string, lines: LineCounter) {
    this.file = file;
    this.#lines = lines;
  }

  /** Whether nothing more will be listed: what comes after need not be looked at closely. */
  get full(): boolean {
    return this.problems.length > PROBLEM_LIMIT;
  }

  /** `offset` is in UTF-16 units from the file's beginning. */
  place(offset: number): Place {
    const { line, col } = this.#lines.linePos(offset);
    return { file: this.file, line: Math.max(line, 1), column: Math.max(col, 1) };
  }

  add(offset: number, rule: RuleName, message: string, meant?: string): void {
    if (this.full) return;
    const place = this.place(offset);
    this.problems.push(
      this.problems.length < PROBLEM_LIMIT
        ? problemAt(place, rule, message, meant)
        : problemAt(place, 'too-many-problems', `has over ${PROBLEM_LIMIT} problems`),
    );
  }
}

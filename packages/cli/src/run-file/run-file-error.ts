/** One thing wrong with a run file; lines and columns count from 1. */
export interface RunFileProblem {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** Names the rule, for tools: `unknown-key`, `wrong-type`, `duplicate-port` … */
  readonly rule: string;
  readonly message: string;
}

/** The run file cannot be run. `problems` has everything found, in the file's order. */
export class RunFileError extends Error {
  readonly code = 'RUN_FILE_INVALID';
  readonly problems: readonly RunFileProblem[];

  constructor(problems: readonly RunFileProblem[]) {
    super(problems.map(formatRunFileProblem).join('\n'));
    this.name = 'RunFileError';
    this.problems = problems;
  }
}

/** `dapr.yaml:12:9 error unknown-key: …`, in the form of `holdfast check`. */
function formatRunFileProblem(problem: RunFileProblem): string {
  const { file, line, column, rule, message } = problem;
  return `${file}:${line}:${column} error ${rule}: ${message}`;
}

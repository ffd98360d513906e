/** What node's test runner says at the end of a run, in its spec form. */
export interface TestReport {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** The closing list of what failed, with its errors; undefined where nothing did. */
  readonly failures: string | undefined;
  /** The files in which something failed, each once. */
  readonly failingFiles: readonly string[];
}

/** Reads the end of what the runner printed. A run that was killed has no closing lines, and counts nothing. */
export function readTestReport(output: string): TestReport {
  const failures = /^✖ failing tests:$[\s\S]*/m.exec(output)?.[0];
  const places = [...(failures ?? '').matchAll(/^test at (.+?):\d+:\d+$/gm)];
  return {
    passed: told(output, 'pass'),
    failed: told(output, 'fail') + told(output, 'cancelled'),
    skipped: told(output, 'skipped'),
    failures: failures?.slice(0, 10_000).trim(),
    failingFiles: [...new Set(places.map(([, file]) => file!))],
  };
}

/** The number behind a word in the closing lines, in the spec and the TAP form. */
function told(output: string, word: string): number {
  const matches = [...output.matchAll(new RegExp(`^(?:ℹ|#) ${word} (\\d+)$`, 'gm'))];
  return Number(matches.at(-1)?.[1] ?? 0);
}

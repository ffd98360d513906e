/** How one case ended. `hung`: it was ended for its time; `broken`: the suite itself ended within it. */
export type Verdict = 'passed' | 'failed' | 'skipped' | 'hung' | 'broken';

/** What a line of the suite's output tells of a case. */
export type Told =
  | { readonly kind: 'begun'; readonly name: string }
  | { readonly kind: 'ended'; readonly name: string; readonly verdict: Verdict };

const VERDICTS = { PASS: 'passed', FAIL: 'failed', SKIP: 'skipped' } as const;

/**
 * Reads one line of `-test.v=test2json`, which tells of each case as it ends (plain `-test.v` tells of
 * all at the end, and of none when one hangs). Steps within a case and what is none of `names` tell nothing.
 */
export function readLine(line: string, names: ReadonlySet<string>): Told | undefined {
  const [, begun] = /=== RUN +Test_Integration\/(\S+)$/.exec(line) ?? [];
  if (begun !== undefined && names.has(begun)) return { kind: 'begun', name: begun };
  const [, verdict, name] = /--- (PASS|FAIL|SKIP): Test_Integration\/(\S+) /.exec(line) ?? [];
  if (name === undefined || !names.has(name)) return undefined;
  return { kind: 'ended', name, verdict: VERDICTS[verdict as keyof typeof VERDICTS] };
}

import type { Verdict } from '../follow-run.ts';

const VERDICTS = { PASS: 'passed', FAIL: 'failed', SKIP: 'skipped' } as const;

/**
 * The cases of one component from what `-test.v` prints, by their names within it. A case that only holds others is none itself,
 * unless it failed and none of them did; one that was begun and did not end is broken.
 */
export function readCases(output: string): ReadonlyMap<string, Verdict> {
  const all = new Map<string, Verdict>();
  for (const [, begun, verdict, ended] of output.matchAll(LINE)) {
    if (begun !== undefined) all.set(begun, 'broken');
    else all.set(ended!, VERDICTS[verdict as keyof typeof VERDICTS]);
  }
  const names = [...all.keys()];
  const failed = names.filter((name) => all.get(name) !== 'passed' && all.get(name) !== 'skipped');
  const within = (name: string, others: readonly string[]) =>
    others.some((other) => other.startsWith(`${name}/`));
  return new Map(
    [...all].filter(([name]) =>
      failed.includes(name) ? !within(name, failed) : !within(name, names),
    ),
  );
}

const LINE = /=== RUN +Test\w+\/[^/\s]+\/(\S+)$|--- (PASS|FAIL|SKIP): Test\w+\/[^/\s]+\/(\S+) \(/gm;

import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { readLine } from './follow-run.ts';
import { runCases } from './run-cases.ts';

const work = mkdtempSync(path.join(tmpdir(), 'holdfast-run-cases-'));
after(() => rmSync(work, { recursive: true, force: true }));
const linux = { skip: process.platform === 'linux' ? false : 'the suite runs on Linux only' };

test('a line tells of a case that begins or ends, and nothing of its steps', () => {
  const names = new Set(['daprd/a']);
  const mark = '\u0016';
  assert.deepEqual(readLine(`${mark}=== RUN   Test_Integration/daprd/a`, names), {
    kind: 'begun',
    name: 'daprd/a',
  });
  assert.deepEqual(readLine(`${mark}--- FAIL: Test_Integration/daprd/a (0.50s)`, names), {
    kind: 'ended',
    name: 'daprd/a',
    verdict: 'failed',
  });
  assert.equal(readLine(`${mark}=== RUN   Test_Integration/daprd/a/run`, names), undefined);
  assert.equal(readLine(`${mark}--- PASS: Test_Integration/daprd/a/run (0.1s)`, names), undefined);
  assert.equal(readLine('    daprd.go:12: daprd/a', names), undefined);
});

test('a case that hangs is ended after its time, and the others go on', linux, async () => {
  const { verdicts, log } = await run(
    ['a', 'b', 'c'],
    'case $one in b) sleep 60 & sleep 60;; c) ended FAIL c;; *) ended PASS $one;; esac',
  );
  assert.deepEqual(verdicts, { a: 'passed', b: 'hung', c: 'failed' });
  assert.match(log, /RUN {3}Test_Integration\/b\n.*RUN {3}Test_Integration\/c\n/s);
});

test('a case within which the suite ends is broken, and the others go on', linux, async () => {
  const { verdicts } = await run(['a', 'b'], 'case $one in a) exit 2;; *) ended PASS b;; esac');
  assert.deepEqual(verdicts, { a: 'broken', b: 'passed' });
});

test('cases that the suite does not come to are broken', linux, async () => {
  const { verdicts } = await run(['a'], 'ended PASS a', ['a', 'b']);
  assert.deepEqual(verdicts, { a: 'passed', b: 'broken' });
});

/** Runs a stand-in for the suite: a script that begins each case and then does `body`. */
async function run(cases: readonly string[], body: string, asked = cases) {
  const executable = path.join(work, `suite-${Math.random()}`);
  // Those that match the focus, which is the last argument, as the suite would.
  const script = `#!/bin/bash
ended() { printf '\\x16--- %s: Test_Integration/%s (0.00s)\\n' "$1" "$2"; }
for focus; do :; done
for one in ${cases.join(' ')}; do
  [[ $one =~ ^(${'$'}{focus:4:-2})$ ]] || continue
  printf '\\x16=== RUN   Test_Integration/%s\\n' $one
  ${body}
done
`;
  writeFileSync(executable, script);
  chmodSync(executable, 0o755);
  const logFile = `${executable}.log`;
  const verdicts = await runCases({ executable, folder: work }, asked, {
    daprd: '/bin/false',
    logFile,
    longestMs: 2_000,
  });
  return { verdicts: Object.fromEntries(verdicts), log: readFileSync(logFile, 'utf8') };
}

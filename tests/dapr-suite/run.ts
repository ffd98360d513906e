// Dapr's own integration suite against our sidecar: see README.md.
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { buildSuite } from './build-suite.ts';
import { DIFFERENCES } from './differences.ts';
import { runCases } from './run-cases.ts';
import { ELSEWHERE, GROUPS } from './scope.ts';

const root = path.resolve(import.meta.dirname, '../..');
const { values, positionals } = parseArgs({
  options: { daprd: { type: 'string' } },
  allowPositionals: true,
});
const work = mkdtempSync(path.join(tmpdir(), 'holdfast-dapr-suite-'));
let failed = 0;
try {
  const suite = buildSuite();
  const daprd = values.daprd ?? ours();
  let passed = 0;
  for (const group of positionals.length > 0 ? positionals : GROUPS) {
    const logFile = path.join(root, '.holdfast/dapr-suite', `${group.replaceAll(/\W+/g, '-')}.log`);
    const { cases, hung } = await runCases(suite, daprd, group, logFile);
    const counted = cases.filter(({ name }) => !ELSEWHERE.test(name));
    const good = counted.filter((one) => one.passed).length;
    passed += good;
    console.log(`${group}: ${good} of ${counted.length} passed`);
    for (const { name, passed: ok } of counted) {
      const why = values.daprd === undefined ? DIFFERENCES[name] : undefined;
      if (ok && why !== undefined) console.log(`  ${name} passes: it is no difference any more`);
      if (ok) continue;
      if (why === undefined) failed += 1;
      console.log(`  ${why === undefined ? 'FAILED ' : 'differs'} ${name}${why ? `: ${why}` : ''}`);
    }
    if (hung || cases.length === 0) {
      failed += 1;
      console.log(`  ${hung ? 'it hung' : 'no case has such a name'}; see ${logFile}`);
    }
  }
  console.log(`${passed} passed, ${failed} failed that should not`);
} finally {
  rmSync(work, { recursive: true, force: true });
}
process.exitCode = failed > 0 ? 1 : 0;

/** What the suite starts: one file, without arguments of its own. */
function ours(): string {
  const file = path.join(work, 'holdfastd');
  const node = JSON.stringify(process.execPath);
  const bin = JSON.stringify(path.join(root, 'packages/cli/bin/holdfastd.mjs'));
  writeFileSync(file, `#!/bin/sh\nexec ${node} ${bin} "$@"\n`);
  chmodSync(file, 0o755);
  return file;
}

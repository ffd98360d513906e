import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { readTestReport } from './test-report.ts';

test('of what the real runner prints the counts, the failures and their files are read', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-report-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const write = (name: string, body: string) =>
    writeFileSync(join(folder, name), `import { test } from 'node:test';\n${body}`);
  write('good.test.mjs', `test('good', () => {}); test('spared', { skip: true }, () => {});`);
  write(
    'bad.test.mjs',
    `test('bad', () => { throw new Error('no'); }); test('worse', () => { throw new Error('never'); });`,
  );
  write('ended.test.mjs', 'process.exit(3);');
  // The runner of this very test must not take it for one of its own.
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const files = ['bad.test.mjs', 'ended.test.mjs', 'good.test.mjs'];
  const { stdout } = spawnSync(process.execPath, ['--test', '--test-reporter=spec', ...files], {
    cwd: folder,
    env,
    encoding: 'utf8',
  });

  const { failures, ...report } = readTestReport(stdout);

  assert.deepEqual(report, {
    passed: 1,
    failed: 3,
    skipped: 1,
    failingFiles: ['bad.test.mjs', 'ended.test.mjs'],
  });
  assert.match(failures ?? '', /Error: no[\s\S]*Error: never/);
});

test('a run that was killed before its end counts nothing', () => {
  assert.deepEqual(readTestReport('✔ good (1.2ms)\n✔ better (0.9ms)\n'), {
    passed: 0,
    failed: 0,
    skipped: 0,
    failures: undefined,
    failingFiles: [],
  });
});

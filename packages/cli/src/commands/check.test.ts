import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { openBench } from '../testing/run-bench.ts';

const GOOD = `apiVersion: dapr.io/v1alpha1
kind: Resiliency
metadata: { name: shop }
spec:
  policies:
    timeouts: { fast: 500ms }
    retries: { few: { policy: constant, duration: 100ms, maxRetries: 2 } }
  targets:
    apps:
      stock: { timeout: fast, retry: few }
`;

describe('holdfast check', () => {
  test('passes a good file, with a summary', async (t) => {
    const bench = await openBench(t, { 'good.yaml': GOOD });
    const { status, out } = await bench.holdfast('check', 'good.yaml').done;
    assert.deepEqual([status, out], [0, '1 file, 0 errors, 0 warnings\n']);
  });

  test('fails on an unknown policy, with file, line, column and what was meant', async (t) => {
    const bench = await openBench(t, { 'bad.yaml': GOOD.replace('retry: few', 'retry: fwe') });
    const { status, out } = await bench.holdfast('check', 'bad.yaml').done;
    const [unused, unknown, summary] = out.split('\n');
    assert.match(unused!, /^bad\.yaml:7:16 warning unused-policy: /);
    assert.match(unknown!, /^bad\.yaml:10:38 error unknown-policy: .*did you mean `few`\?$/);
    assert.deepEqual([status, summary], [1, '1 file, 1 error, 1 warning']);
  });

  test('fails on warnings only where it is told to be strict', async (t) => {
    const bench = await openBench(t, { 'slow.yaml': GOOD.replace('timeout: fast, ', '') });
    const lax = await bench.holdfast('check', 'slow.yaml').done;
    const strict = await bench.holdfast('check', '--strict', 'slow.yaml').done;
    assert.deepEqual([lax.status, strict.status, strict.out], [0, 1, lax.out]);
  });

  test('prints what it found as JSON', async (t) => {
    const bench = await openBench(t, { 'bad.yaml': GOOD.replace('fast: 500ms', 'fast: soon') });
    const { status, out } = await bench.holdfast('check', '--json', 'bad.yaml').done;
    const { passed, errors, files, problems } = JSON.parse(out);
    assert.deepEqual(
      [status, passed, errors, files, problems[0].line, problems[0].severity],
      [1, false, 1, ['bad.yaml'], 6, 'error'],
    );
  });
});

describe('holdfast explain', () => {
  test('says in words what a call of an app goes through', async (t) => {
    const bench = await openBench(t, { 'good.yaml': GOOD });
    const named = await bench.holdfast('explain', 'good.yaml', '--app', 'stock').done;
    const other = await bench.holdfast('explain', 'good.yaml', '--app', 'other').done;
    assert.equal(named.status, 0);
    assert.match(named.out, /^A call of "stock", as its entry under targets says:\n/);
    assert.match(named.out, /at most 3 attempts/);
    assert.match(
      other.out,
      /^A call of "other", by the defaults, as it is not named under targets:/,
    );
  });
});

describe('holdfast', () => {
  test('names the command that was meant, with status 2', async (t) => {
    const bench = await openBench(t, {});
    const { status, err } = await bench.holdfast('chek').done;
    const [said, meant] = err.split('\n');
    assert.deepEqual(
      [status, said, meant],
      [2, "error: unknown command 'chek'", '(Did you mean check?)'],
    );
  });

  test('run -f takes nothing beside the file', async (t) => {
    const bench = await openBench(t, {});
    const { status, err } = await bench.holdfast('run', '-f', '.', '--app-port', '3').done;
    const sentence =
      'holdfast: -f takes everything from the run file; leave out --app-port, or write it there.\n';
    assert.deepEqual([status, err], [2, sentence]);
  });
});

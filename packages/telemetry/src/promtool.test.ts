import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { createMetrics } from './metrics/metrics.ts';
import { policyMetrics } from './policy-metrics.ts';

const installed = spawnSync('promtool', ['--version']).status === 0;
const skip = installed ? false : 'promtool is not installed (Debian: apt-get install prometheus)';

test('promtool finds nothing to complain about in our own families', { skip }, () => {
  const metrics = createMetrics();
  const hear = policyMetrics(metrics);
  const source = { pipeline: 'q"\\\n', policy: 'p', call: 1 };
  hear({ ...source, type: 'queued', waitedMs: 5, admitted: true, depth: 1 });
  hear({ ...source, type: 'attempt', attempt: 1, outcome: 'success', durationMs: 3 });

  const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], {
    input: metrics.render(),
    encoding: 'utf8',
  });
  assert.deepEqual({ status, stdout, stderr }, { status: 0, stdout: '', stderr: '' });
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startAppMesh } from '../makes/app-mesh.ts';
import { bothMakes } from '../makes/both-makes.ts';

const SPEC = `metric: { recordErrorCodes: true, latencyDistributionBuckets: [3, 33] }
metrics: { latencyDistributionBuckets: [7, 77] }`;

await bothMakes((make, executable) => {
  test(`${make}, spec.metric and spec.metrics side by side: the second wins, key by key`, async (t) => {
    const mesh = await startAppMesh(executable, { caller: { spec: SPEC } });
    t.after(() => mesh.stop());
    const failed = await fetch(`http://127.0.0.1:${mesh.port('caller')}/v1.0/state/none/k`);
    assert.equal(failed.status, 500);
    const page = await (await fetch(`http://127.0.0.1:${mesh.metricsPort('caller')}/`)).text();
    const bounds = new Set(
      [...page.matchAll(/dapr_http_server_latency_bucket\{.*le="(\d+)"/g)].map(([, le]) => le),
    );
    assert.deepEqual([...bounds], ['7', '77']);
    assert.match(page, /dapr_error_code_total\{/);
  });
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { until } from '@holdfast/test-servers';
import { startMesh } from '../testing/start-mesh.ts';

test('calls reach the application only while its probes succeed', async (t) => {
  let well = false;
  const { url } = await startMesh(
    t,
    (req, res) => {
      res.writeHead(req.url === '/probe' && !well ? 503 : 200).end('ok');
    },
    {
      callee: { appHealthCheck: { path: '/probe', intervalMs: 20, threshold: 2, timeoutMs: 500 } },
    },
  );
  const answer = async (): Promise<string> => (await fetch(`${url}/x`)).text();

  assert.match(
    await answer(),
    /err: rpc error: code = Internal desc = error invoking app channel: rpc error: code = Internal desc = app is not in a healthy state/,
  );
  well = true;
  await until('healthy', async () => (await answer()) === 'ok');
  well = false;
  await until('unhealthy again', async () => (await answer()) !== 'ok');
});

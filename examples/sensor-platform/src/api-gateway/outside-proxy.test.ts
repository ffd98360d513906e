import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { standInSidecar } from '../testing/stand-in-sidecar.ts';
import { outsideProxy } from './outside-proxy.ts';

test('two failures are retried away, and the answer tells what it took', async (t) => {
  const { proxy } = await dependency(t, [503, 503, 200]);

  assert.deepEqual(await proxy(), {
    status: 200,
    body: {
      upstream: 'a test server',
      answer: { weather: 'fair' },
      attempts: 3,
      circuit: 'closed',
      metrics: { calls: 1, attempts: 3, retries: 2, timeouts: 0, refused: 0, failed: 0 },
    },
  });
});

test('a dependency that goes on failing is left alone after five attempts', async (t) => {
  const { proxy, asked } = await dependency(t, Array(20).fill(503));
  const first = await proxy();
  const second = await proxy();

  assert.deepEqual(
    {
      first: [first.status, first.body.attempts, first.body.circuit],
      second: [second.status, second.body.error, second.body.circuit],
      asked: asked(),
    },
    {
      first: [503, 4, 'closed'],
      second: [503, 'outside service unavailable: CIRCUIT_OPEN', 'open'],
      asked: 5,
    },
  );
});

async function dependency(t: TestContext, statuses: number[]) {
  const server = await standInSidecar(() => {
    const status = statuses.shift() ?? 200;
    return { status, body: status === 200 ? { weather: 'fair' } : { error: 'out of order' } };
  });
  t.after(() => server.close());
  return {
    proxy: outsideProxy(`http://127.0.0.1:${server.port}/`, 'a test server'),
    asked: () => server.seen.length,
  };
}

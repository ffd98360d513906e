import assert from 'node:assert/strict';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { describe, type TestContext, test } from 'node:test';
import { until } from '@holdfast/test-servers';
import { startApp, startMesh } from '../testing/start-mesh.ts';

const FAR = 'far';
const REFUSED = 'error invoking output binding far:';

describe('policies of ours on a component', () => {
  test('a rate limit refuses what goes beyond it, before the component is asked', async (t) => {
    const far = await dependency(
      t,
      'rateLimits: { two: { limit: 2, interval: 1h } }',
      'rateLimit: two',
    );

    const statuses = [];
    for (let i = 0; i < 3; i += 1) statuses.push((await far.call()).status);
    const refused = await far.call();

    assert.deepEqual(statuses, [200, 200, 500]);
    assert.deepEqual(
      [refused, far.held.length],
      [{ status: 500, message: `${REFUSED} rate limit exceeded`, by: 'two' }, 2],
    );
  });

  test('a bulkhead holds its places, and the one that waited too long is told', async (t) => {
    const far = await dependency(
      t,
      'bulkheads: { one: { maxConcurrent: 1, maxQueue: 1, queueTimeout: 50ms } }',
      'bulkhead: one',
      'holds',
    );

    const first = far.call();
    await until('the first call is under way', () => far.held.length === 1);
    const second = await far.call();
    far.held[0]!.end('done');

    assert.deepEqual(
      [second, (await first).status, far.held.length],
      [{ status: 500, message: `${REFUSED} bulkhead queue timed out`, by: 'one' }, 200, 1],
    );
  });

  test('a deadline is the end of a call with all its retries', async (t) => {
    const far = await dependency(
      t,
      'deadlines: { total: 200ms }\nretries: { often: { duration: 20ms, maxRetries: 1000 } }\ntimeouts: { t: 50ms }',
      'deadline: total, retry: often, timeout: t',
      'holds',
    );

    const { by, ...answer } = await far.call();

    assert.deepEqual(answer, { status: 500, message: `${REFUSED} context deadline exceeded` });
    // The last attempt may have timed out with too little left for another.
    assert.ok(by === 'total' || by === 't', `${by}`);
    // Attempts of 50 ms with 20 ms between them: no more than three begin in 200 ms.
    assert.ok(far.held.length <= 3, `${far.held.length} attempts`);
  });
});

interface Dependency {
  /** Calls the component through the sidecar's API. */
  call(): Promise<{
    readonly status: number;
    readonly message?: string;
    readonly by?: string | null;
  }>;
  /** Every request that reached it. */
  readonly held: readonly ServerResponse[];
}

/** A server behind a `bindings.http` whose target names policies. */
async function dependency(
  t: TestContext,
  policies: string,
  names: string,
  how: 'answers' | 'holds' = 'answers',
): Promise<Dependency> {
  const held: ServerResponse[] = [];
  const port = await startApp(t, (_: IncomingMessage, response) => {
    held.push(response);
    if (how === 'answers') response.end('fine');
  });
  const { caller, write } = await startMesh(t, (_, response) => response.writeHead(404).end(), {
    resiliency: `
apiVersion: dapr.io/v1alpha1
kind: Resiliency
metadata: { name: own }
spec:
  policies:
${policies.replaceAll(/^/gm, '    ')}
  targets:
    components: { ${FAR}: { outbound: { ${names} } } }
`,
  });
  await write(
    'far.yaml',
    `
apiVersion: dapr.io/v1alpha1
kind: Component
metadata: { name: ${FAR} }
spec:
  type: bindings.http
  version: v1
  metadata: [{ name: url, value: "http://127.0.0.1:${port}" }]
`,
  );
  await caller.reload();
  return {
    held,
    async call() {
      const answer = await fetch(`http://127.0.0.1:${caller.ports.http}/v1.0/bindings/${FAR}`, {
        method: 'POST',
        body: '{"operation":"get"}',
      });
      if (answer.ok) return { status: answer.status };
      const { message } = (await answer.json()) as { message: string };
      return { status: answer.status, message, by: answer.headers.get('holdfast-refused-by') };
    },
  };
}

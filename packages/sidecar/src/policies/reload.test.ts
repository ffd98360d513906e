import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { until } from '@holdfast/test-servers';
import { startMesh } from '../testing/start-mesh.ts';

const document = (openFor: string, extra = ''): string => `
apiVersion: dapr.io/v1alpha1
kind: Resiliency
metadata: { name: shop }
spec:
  policies:
    retries: { again: { policy: constant, duration: 10ms, maxRetries: 2 } }
    circuitBreakers: { calm: { timeout: ${openFor}, trip: "consecutiveFailures >= 2" } }
  targets:
    apps: { callee: { circuitBreaker: calm${extra} } }
`;

describe('a changed policy file', () => {
  test('is in force at once, and circuits keep their state', async (t) => {
    const { url, caller, write } = await startMesh(t, failing(), { resiliency: document('1h') });
    const before = [await status(`${url}/x`), await status(`${url}/x`), await message(`${url}/x`)];

    await write('resiliency.yaml', document('2h', ', retry: again'));
    await caller.reload();

    const after = await message(`${url}/x`);
    const other = await fetch(`${url}/y`);
    assert.deepEqual(
      [before, after, other.headers.get('holdfast-attempts')],
      [[503, 503, 'circuit breaker is open'], 'circuit breaker is open', '2'],
    );
  });

  test('is noticed without being told', async (t) => {
    const { url, write } = await startMesh(t, failing(), { resiliency: document('1h') });
    assert.equal((await fetch(`${url}/x`)).headers.get('holdfast-attempts'), null);

    await write('resiliency.yaml', document('1h', ', retry: again'));

    let method = 0;
    await until('the retries apply', async () => {
      method += 1;
      const answer = await fetch(`${url}/m${method}`);
      return answer.headers.get('holdfast-attempts') !== null;
    });
  });

  test('that is broken changes nothing, and is told with file, line and column', async (t) => {
    const mesh = await startMesh(t, failing(), { resiliency: document('1h') });
    await status(`${mesh.url}/x`);
    await status(`${mesh.url}/x`);

    await mesh.write('resiliency.yaml', 'kind: Resiliency\nspec: { policies: [\n');

    await until('told', () => mesh.log.some((line) => /resiliency\.yaml:\d+:\d+ error/.test(line)));
    assert.equal(await message(`${mesh.url}/x`), 'circuit breaker is open');
  });
});

describe('what a refused client can read', () => {
  test('who refused, when to come back, and how often it was tried', async (t) => {
    const { url } = await startMesh(t, failing(), { resiliency: document('90s') });
    await status(`${url}/x`);
    await status(`${url}/x`);

    const { status: code, headers } = await fetch(`${url}/x`);

    const said = ['holdfast-refused-by', 'retry-after', 'holdfast-attempts'].map((name) =>
      headers.get(name),
    );
    assert.deepEqual([code, ...said], [500, 'calm', '90', '0']);
  });

  test('the circuits in the metadata', async (t) => {
    const { url, caller } = await startMesh(t, failing(), { resiliency: document('90s') });
    await status(`${url}/x`);
    await status(`${url}/x`);

    const answer = await fetch(`http://127.0.0.1:${caller.ports.http}/v1.0/metadata`);

    const { holdfast } = (await answer.json()) as {
      holdfast: { circuits: readonly Record<string, unknown>[] };
    };
    const [circuit] = holdfast.circuits;
    assert.deepEqual(
      [circuit?.target, circuit?.method, circuit?.policy, circuit?.state, circuit?.opened],
      ['callee', 'x', 'calm', 'open', 1],
    );
  });

  test('the least used circuit goes when there are more than the file allows', async (t) => {
    const { url } = await startMesh(t, failing(), {
      resiliency: document('1h', ', circuitBreakerCacheSize: 2'),
    });
    for (const method of ['a', 'a', 'b', 'b', 'a', 'c']) await status(`${url}/${method}`);

    assert.deepEqual(
      [await message(`${url}/a`), await status(`${url}/b`)],
      ['circuit breaker is open', 503],
    );
  });
});

function failing() {
  return (_req: unknown, res: { writeHead(status: number): { end(text: string): void } }): void =>
    res.writeHead(503).end('no');
}

const status = async (url: string): Promise<number> => (await fetch(url)).status;

async function message(url: string): Promise<string> {
  const answer = (await (await fetch(url)).json()) as { message: string };
  return answer.message.replace(/^.*err: /, '');
}

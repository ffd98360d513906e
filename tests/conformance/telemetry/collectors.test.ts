import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually, prometheusServer, withServer, zipkinServer } from '@holdfast/test-servers';
import { startMesh } from '../makes/mesh.ts';

test('a real Zipkin shows who calls whom', async (t) => {
  const zipkin = await withServer(t, zipkinServer);
  if (zipkin === undefined) return;
  const mesh = await startMesh(undefined, {
    tracing: `samplingRate: "1", zipkin: { endpointAddress: "${zipkin.url}/api/v2/spans" }`,
  });
  t.after(() => mesh.stop());

  const answer = await fetch(`http://127.0.0.1:${mesh.port('caller')}/v1.0/invoke/callee/method/z`);
  const traceId = answer.headers.get('traceparent')?.split('-')[1];

  const trace = await eventually(
    async () => (await json<{ name: string }[]>(`${zipkin.url}/api/v2/trace/${traceId}`)) ?? [],
    (spans) => spans.length >= 3,
    'the three spans are kept',
  );
  assert.deepEqual(trace.map(({ name }) => name).sort(), [
    'attempt',
    'calllocal/callee/z',
    'calllocal/callee/z',
  ]);
  const links = await eventually(
    async () => {
      const query = `endTs=${Date.now() + 60_000}&lookback=3600000`;
      return (await json<unknown[]>(`${zipkin.url}/api/v2/dependencies?${query}`)) ?? [];
    },
    (found) => found.length > 0,
    'who calls whom is known',
  );
  assert.deepEqual(links, [{ parent: 'caller', child: 'callee', callCount: 1 }]);
});

test('a real Prometheus scrapes what was counted', async (t) => {
  const mesh = await startMesh(undefined);
  t.after(() => mesh.stop());
  const target = `127.0.0.1:${mesh.metricsPort('caller')}`;
  const prometheus = await withServer(t, () => prometheusServer([target]));
  if (prometheus === undefined) return;
  for (let n = 0; n < 3; n += 1) {
    await fetch(`http://127.0.0.1:${mesh.port('caller')}/v1.0/invoke/callee/method/p`);
  }

  const query = 'dapr_runtime_service_invocation_req_sent_total{dst_app_id="callee"}';
  const value = await eventually(
    async () => {
      const found = await json<{ data: { result: { value: [number, string] }[] } }>(
        `${prometheus.url}/api/v1/query?query=${encodeURIComponent(query)}`,
      );
      return found?.data.result[0]?.value[1];
    },
    (found) => found !== undefined,
    'it is scraped',
  );
  assert.equal(value, '3');
});

async function json<T>(url: string): Promise<T | undefined> {
  const answer = await fetch(url);
  return answer.ok ? ((await answer.json()) as T) : undefined;
}

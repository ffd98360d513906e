import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMetrics } from '../metrics/metrics.ts';
import { parseExposition } from '../testing/parse-exposition.ts';
import { componentMetrics } from './component-metrics.ts';
import { httpServerMetrics } from './http-server-metrics.ts';

const exchange = { status: 200, latencyMs: 2, requestBytes: 10, responseBytes: 2_000 };

test('an exchange is counted once in each family of its side', () => {
  const metrics = createMetrics();
  const http = httpServerMetrics(metrics, { appId: 'a' });
  http.served('GET', '/v1.0/invoke/b/method/x', exchange);
  http.called('POST', '/x', { ...exchange, status: 503 });

  const route = 'app_id="a",method="GET",path="/v1.0/invoke/b/method/x"';
  assert.deepEqual(counts(metrics.render()), {
    [`dapr_http_server_request_count{${route},status="200"}`]: 1,
    [`dapr_http_server_response_count{${route},status="200"}`]: 1,
    [`dapr_http_server_latency_count{${route},status="200"}`]: 1,
    'dapr_http_server_request_bytes_count{app_id="a"}': 1,
    'dapr_http_server_response_bytes_count{app_id="a"}': 1,
    'dapr_http_client_completed_count{app_id="a",method="POST",path="/x",status="503"}': 1,
    'dapr_http_client_roundtrip_latency_count{app_id="a",method="POST",path="/x",status="503"}': 1,
    'dapr_http_client_sent_bytes_count{app_id="a",method="POST",path="/x"}': 1,
    'dapr_http_client_received_bytes_count{app_id="a"}': 1,
  });
});

test('verbs nobody knows are UNKNOWN, and paths beyond the limit overflow', () => {
  const metrics = createMetrics();
  const http = httpServerMetrics(metrics, { appId: 'a', maxPaths: 1 });
  for (const [method, path] of [
    ['BREW', '/1'],
    ['BREW', '/2'],
    ['MELT', '/3'],
  ] as const) {
    http.served(method, path, exchange);
  }

  const { samples } = parseExposition(metrics.render()).dapr_http_server_request_count!;
  assert.deepEqual(samples, {
    'dapr_http_server_request_count{app_id="a",method="UNKNOWN",path="/1",status="200"}': 1,
    'dapr_http_server_request_count{app_id="a",method="UNKNOWN",path="overflow",status="200"}': 2,
  });
});

test('paths that a rule makes one are one, however many there are, and by metric', () => {
  const digits = (value: string) => value.replace(/\d+/g, 'N');
  const metrics = createMetrics({
    relabel: (metric, label) =>
      metric === 'dapr_http_server_request_count' && label === 'path' ? digits : undefined,
  });
  const http = httpServerMetrics(metrics, { appId: 'a', maxPaths: 2 });
  for (let n = 0; n < 5; n += 1) http.served('GET', `/orders/${n}`, exchange);
  const page = parseExposition(metrics.render());
  assert.deepEqual(page.dapr_http_server_request_count?.samples, {
    'dapr_http_server_request_count{app_id="a",method="GET",path="/orders/N",status="200"}': 5,
  });
  assert.equal(Object.keys(page.dapr_http_server_response_count?.samples ?? {}).length, 5);
});

test('component operations are counted by component, and their latencies joined in one alias', () => {
  const metrics = createMetrics();
  const components = componentMetrics(metrics, { appId: 'a' });
  components.state('store', 'get', true, 1);
  components.state('store', 'get', false, 1);
  components.published('broker', 'orders', true, 1);
  components.delivered('broker', 'orders', 'retry', 'retry', 1);

  const state = 'app_id="a",component="store",namespace="",operation="get"';
  const egress = 'app_id="a",component="broker",namespace="",success="true",topic="orders"';
  const ingress =
    'app_id="a",component="broker",namespace="",process_status="retry",status="retry",topic="orders"';
  assert.deepEqual(counts(metrics.render()), {
    [`dapr_component_state_count{${state},success="true"}`]: 1,
    [`dapr_component_state_count{${state},success="false"}`]: 1,
    [`dapr_component_state_latencies_count{${state},success="true"}`]: 1,
    [`dapr_component_state_latencies_count{${state},success="false"}`]: 1,
    [`dapr_component_pubsub_egress_count{${egress}}`]: 1,
    [`dapr_component_pubsub_egress_latencies_count{${egress}}`]: 1,
    [`dapr_component_pubsub_ingress_count{${ingress}}`]: 1,
    [`dapr_component_pubsub_ingress_latencies_count{${ingress}}`]: 1,
    [`dapr_component_operation_latencies_count{${state},success="true"}`]: 1,
    [`dapr_component_operation_latencies_count{${state},success="false"}`]: 1,
    [`dapr_component_operation_latencies_count{${egress}}`]: 1,
  });
});

/** All samples but buckets and sums. */
function counts(text: string): Record<string, number> {
  const families = Object.values(parseExposition(text));
  const samples = families.flatMap(({ samples }) => Object.entries(samples));
  return Object.fromEntries(samples.filter(([key]) => !/_bucket\{|_sum\{/.test(key)));
}

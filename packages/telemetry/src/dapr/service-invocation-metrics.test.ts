import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMetrics } from '../metrics/metrics.ts';
import { parseExposition } from '../testing/parse-exposition.ts';
import { serviceInvocationMetrics } from './service-invocation-metrics.ts';

const PREFIX = 'dapr_runtime_service_invocation';

test('invocations are counted under Dapr’s names and labels, and under the taught ones', () => {
  const { invocations, samples } = setUp();
  invocations.requestSent('b', 'unary');
  invocations.requestSent('b', 'streaming');
  invocations.callee('b').responseReceived(200, 'unary', 3.5);
  invocations.responseReceived('b', 500, 'streaming', 7);
  invocations.requestReceived('c');
  invocations.responseSent('c', 13);

  const sent = {
    '{app_id="a",dst_app_id="b",type="unary"}': 1,
    '{app_id="a",dst_app_id="b",type="streaming"}': 1,
  };
  const latencies = {
    '_sum{app_id="a",src_app_id="b",status="200"}': 3.5,
    '_count{app_id="a",src_app_id="b",status="200"}': 1,
    '_sum{app_id="a",src_app_id="b",status="500"}': 7,
    '_count{app_id="a",src_app_id="b",status="500"}': 1,
  };
  assert.deepEqual(samples(), {
    req_sent_total: sent,
    req_recv_total: { '{app_id="a",src_app_id="c"}': 1 },
    res_sent_total: { '{app_id="a",dst_app_id="c",status="13"}': 1 },
    res_recv_total: {
      '{app_id="a",src_app_id="b",status="200",type="unary"}': 1,
      '{app_id="a",src_app_id="b",status="500",type="streaming"}': 1,
    },
    res_recv_latency_ms: latencies,
    req_count: sent,
    req_latency: latencies,
  });
});

test('apps and statuses that are made up fill nothing', () => {
  const { invocations, samples } = setUp();
  for (let i = 0; i < 1_000; i += 1) {
    invocations.requestReceived(`app-${i}`);
    invocations.responseReceived('b', 1_000 + i, 'unary', 1);
  }

  const { req_recv_total, res_recv_total } = samples();
  assert.deepEqual(
    [Object.keys(req_recv_total!).length, req_recv_total?.['{app_id="a",src_app_id="overflow"}']],
    [201, 800],
  );
  assert.equal(
    res_recv_total?.['{app_id="a",src_app_id="b",status="overflow",type="unary"}'],
    1_000 - 64,
  );
});

function setUp() {
  const metrics = createMetrics();
  const invocations = serviceInvocationMetrics(metrics, { appId: 'a' });
  /** The families by the end of their names, their samples by what follows it, without buckets. */
  const samples = () => {
    const families = Object.entries(parseExposition(metrics.render()));
    return Object.fromEntries(
      families
        .filter(([name]) => name.startsWith(PREFIX))
        .map(([name, family]) => [
          name.slice(PREFIX.length + 1),
          Object.fromEntries(
            Object.entries(family.samples)
              .map(([key, value]) => [key.slice(name.length), value] as const)
              .filter(([key]) => !key.startsWith('_bucket')),
          ),
        ]),
    ) as Record<string, Record<string, number>>;
  };
  return { invocations, samples };
}

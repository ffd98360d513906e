import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLogger } from '@holdfast/telemetry/log';
import { METRICS_SETTINGS, type MetricsSettings } from '../resources/metrics-settings.ts';
import { liveMetrics } from './live-metrics.ts';

test('paths, verbs, rules and buckets are those of the settings in force', () => {
  const { counts, follow, metrics } = start({ byPath: false });
  const seen: string[][] = [];
  const look = (): void => {
    metrics.served('GET', '/orders/7', 200, 3, 0, 0);
    metrics.errored('ERR_X', undefined);
    seen.push(counts(/server_request_count|error_code|server_latency_bucket.*le="(5|50)"/));
  };
  look();
  follow({ byPath: true });
  look();
  follow({
    byVerb: false,
    pathPatterns: ['/orders/{id}'],
    latencyBucketsMs: [5],
    errorCodes: true,
  });
  look();
  const rewrites = [{ from: 'G.*', to: 'X' }];
  follow({ rules: [{ metric: 'http_server_request_count', label: 'method', rewrites }] });
  look();
  const five =
    'dapr_http_server_latency_bucket{app_id="a",method="GET",path="/orders/7",status="200",le="5"} 1';
  const fifty = five.replace('"5"', '"50"');
  const count = (method: string, path: string) =>
    `dapr_http_server_request_count{app_id="a",method="${method}",path="${path}",status="200"} 1`;
  assert.deepEqual(seen, [
    [count('GET', ''), ...[five, fifty].map((line) => line.replace('/orders/7', ''))],
    [count('GET', '/orders/7'), five, fifty],
    [
      'dapr_error_code_total{app_id="a",category="common",error_code="ERR_X"} 1',
      count('', '/orders/{id}'),
      five.replace('GET', '').replace('/orders/7', '/orders/{id}'),
    ],
    [count('X', '/orders/7'), five, fifty],
  ]);
});

test('what holds is told again, and what was counted is not', () => {
  const { counts, follow, metrics } = start({});
  metrics.componentUp('state.redis');
  metrics.componentFailed('state.odd', 'odd', 'init');
  metrics.loaded([{ name: 'policies', namespace: 'default' }]);
  metrics.certificate(60_000);
  metrics.sent('b', 'unary');
  const told = (): readonly string[] =>
    counts(/component_loaded|init_fail|resiliency_loaded|certificate_expiry|req_sent_total/);
  const before = told();
  follow({ enabled: false });
  const off = told();
  follow({ byPath: false });
  assert.deepEqual([before.length, off], [5, []]);
  assert.deepEqual(
    told(),
    before.filter((line) => !line.includes('req_sent_total')),
  );
});

test('a pipeline that is older than the settings counts under them', () => {
  const { counts, follow, metrics } = start({});
  metrics.loaded([{ name: 'policies', namespace: 'default' }]);
  const hear = metrics.listener('b');
  follow({ byPath: false });
  hear?.({ type: 'retry', pipeline: 'p', policy: 'r', attempt: 1, delayMs: 1 } as never);
  assert.equal(counts(/^holdfast_.*retr/).length > 0, true);
});

test('the same settings change nothing, and a change is logged in the words of Dapr', () => {
  const { counts, follow, lines, metrics } = start({ byPath: false });
  metrics.sent('b', 'unary');
  follow({ byPath: false });
  assert.equal(counts(/req_sent_total/).length, 1);
  follow({ byPath: true });
  const specs = lines.flatMap((line) => /metric spec: \{.*?\}\}/.exec(line)?.[0] ?? []);
  assert.deepEqual(
    specs.map((spec) => spec.replaceAll('\\', '')),
    ['false', 'true'].map(
      (flag) => `metric spec: {"enabled":true,"http":{"increasedCardinality":${flag}}}`,
    ),
  );
});

function start(settings: Partial<MetricsSettings>) {
  const lines: string[] = [];
  const log = createLogger({ write: (line) => void lines.push(line) });
  const metrics = liveMetrics('a', 'default', { ...METRICS_SETTINGS, ...settings }, log);
  return {
    lines,
    metrics,
    follow: (next: Partial<MetricsSettings>) => metrics.follow({ ...METRICS_SETTINGS, ...next }),
    /** Samples that match, in the order of the page, but those at zero. */
    counts: (expression: RegExp): string[] =>
      metrics
        .render()
        .split('\n')
        .filter((line) => !line.startsWith('#') && expression.test(line) && !line.endsWith(' 0')),
  };
}

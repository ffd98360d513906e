import type { PolicyEvent } from '@holdfast/core';
import {
  createMetrics,
  DAPR_LATENCY_BUCKETS_MS,
  httpServerMetrics,
  policyMetrics,
  resiliencyMetrics,
  serviceInvocationMetrics,
} from '@holdfast/telemetry';

/** Rounds of a few milliseconds, and many: on a busy machine some of them are not interrupted. */
const CALLS = 20_000;
const ROUNDS = 400;

/** Prints what counting costs: one observation, and everything a sidecar counts for one request. */
export async function run(): Promise<void> {
  const metrics = createMetrics();
  const histogram = metrics.histogram('h', 'H.', [], DAPR_LATENCY_BUCKETS_MS).labels();
  const counter = metrics.counter('c_total', 'C.').labels();
  const invocation = serviceInvocationMetrics(metrics, { appId: 'a' });
  const http = httpServerMetrics(metrics, { appId: 'a' });
  const resiliency = resiliencyMetrics(metrics, { appId: 'a', name: 'r' });
  const target = resiliency.target('outbound', 'app_b');
  const hearOurs = policyMetrics(metrics);
  const applied = { timeout: true, retry: true, circuitBreaker: true };
  const [attempt, call] = successfulCall();

  // As the sidecar does it: what belongs to a target and a route is kept with them.
  const callee = invocation.callee('b');
  const route = http.server('GET', '/v1.0/invoke/b/method/x');
  const latencies = Float64Array.from({ length: 1_024 }, () => Math.random() ** 4 * 300);
  const latencyOf = (i: number) => latencies[i & 1_023]!;

  const withHandles = (i: number) => {
    target.applied(applied);
    callee.requestSent('unary');
    callee.responseReceived(200, 'unary', latencyOf(i));
    route.done(200, latencyOf(i), 120, 2_000);
  };
  const byName = (i: number) => {
    resiliency.applied(applied, 'outbound', 'app_b');
    invocation.requestSent('b', 'unary');
    invocation.responseReceived('b', 200, 'unary', latencyOf(i));
    http.server('GET', '/v1.0/invoke/b/method/x').done(200, latencyOf(i), 120, 2_000);
  };
  const events = () => {
    target.listener(attempt);
    target.listener(call);
    hearOurs(attempt);
    hearOurs(call);
  };

  console.log('telemetry: nanoseconds each, best of 400 short rounds');
  report('counter.inc', () => counter.inc());
  report('histogram.observe, Dapr’s 34 buckets', (i) => histogram.observe(latencyOf(i)));
  report('a request’s Dapr families, series kept (≤ 100)', withHandles);
  report('a request’s Dapr families, found by name', byName);
  report('a successful call’s two events, both listeners', events);
  reportScrape(metrics);
}

function successfulCall(): [PolicyEvent, PolicyEvent] {
  const source = { pipeline: 'b:x', policy: 'b:x', call: 1 };
  return [
    { ...source, type: 'attempt', attempt: 1, outcome: 'success', durationMs: 1.5 },
    { ...source, type: 'call', outcome: 'success', attempts: 1, durationMs: 1.5, degraded: false },
  ];
}

function report(what: string, work: (i: number) => void): void {
  const rounds = Array.from({ length: ROUNDS }, () => {
    const started = performance.now();
    for (let i = 0; i < CALLS; i += 1) work(i);
    return ((performance.now() - started) * 1e6) / CALLS;
  });
  const best = Math.min(...rounds);
  console.log(`  ${best.toFixed(1).padStart(7)} ns  ${what}`);
}

function reportScrape(metrics: { render(): string }): void {
  const started = performance.now();
  const text = metrics.render();
  const tookMs = (performance.now() - started).toFixed(2);
  console.log(`  ${tookMs.padStart(7)} ms  a scrape of ${(text.length / 1_024).toFixed(0)} KiB`);
}

if (import.meta.main) await run();

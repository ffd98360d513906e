import assert from 'node:assert/strict';
import { test } from 'node:test';
import { circuitBreaker, createRegistry, pipeline, retry, timeout } from '@holdfast/core';
import { VirtualClock } from '@holdfast/core/testing';
import { createMetrics } from '../metrics/metrics.ts';
import { parseExposition } from '../testing/parse-exposition.ts';
import { resiliencyMetrics } from './resiliency-metrics.ts';

test('a real pipeline through an outage and back shows each moment as it is', async () => {
  const clock = new VirtualClock();
  const registry = createRegistry();
  const metrics = createMetrics();
  const dapr = resiliencyMetrics(metrics, { appId: 'a', name: 'r' }).target('outbound', 'app_b');
  // As a sidecar does: looking at a circuit tells it what time it is.
  metrics.collect(() => void registry.list());
  const target = pipeline(
    'b:orders',
    [
      retry({ maxRetries: 2, delayMs: 10, backoff: 'constant', jitter: 'none' }),
      circuitBreaker({ consecutiveFailures: 3, openMs: 1_000 }),
      timeout({ limitMs: 100 }),
    ],
    { clock, registry, report: dapr.listener },
  );
  let healthy = false;
  const call = () =>
    target.execute(() => (healthy ? 'fine' : new Promise(() => {}))).catch((e: Error) => e.name);
  const shown = () => {
    const families = parseExposition(metrics.render());
    const parts = (family: string) =>
      Object.entries(families[family]!.samples)
        .filter(([, n]) => n > 0)
        .map(([key, n]) => {
          const policy = /policy="(\w+)"/.exec(key)![1];
          return `${policy} ${/status="([^"]+)"/.exec(key)?.[1] ?? ''} ${n}`;
        });
    return {
      state: parts('dapr_resiliency_cb_state'),
      activations: parts('dapr_resiliency_activations_total').sort(),
    };
  };

  const timeline = await clock.run(async () => {
    dapr.applied({ timeout: true, retry: true, circuitBreaker: true });
    const moments = [shown()];
    await call(); // three attempts, three time-outs
    moments.push(shown());
    await call(); // refused
    await clock.sleep(1_000);
    moments.push(shown()); // nobody has called, and yet it is half-open
    healthy = true;
    await call();
    moments.push(shown());
    return moments;
  });

  const outage = ['circuitbreaker open 1', 'retry  1', 'timeout  1'];
  assert.deepEqual(timeline, [
    { state: ['circuitbreaker closed 1'], activations: [] },
    { state: ['circuitbreaker open 1'], activations: outage },
    { state: ['circuitbreaker half-open 1'], activations: outage },
    {
      state: ['circuitbreaker closed 1'],
      activations: ['circuitbreaker closed 1', ...outage],
    },
  ]);
});

import { createServer } from 'node:http';
import { circuitBreaker, pipeline, registry, retry } from '@holdfast/core';
import { createMetrics, METRICS_CONTENT_TYPE, policyMetrics } from '@holdfast/telemetry';
import { createLogger } from '@holdfast/telemetry/log';

const metrics = createMetrics();
registry.listen(policyMetrics(metrics)); // every pipeline of the process, also later ones

export const payments = pipeline('payments', [retry({ delayMs: 5 }), circuitBreaker()]);

const jobs = metrics.counter('shop_jobs_total', 'Jobs done.', ['kind']);
const refunds = jobs.labels('refund'); // keep it: using it costs nanoseconds
refunds.inc();

export const server = createServer((_request, response) => {
  response.setHeader('content-type', METRICS_CONTENT_TYPE);
  response.end(metrics.render());
});

export const lines: string[] = [];
const log = createLogger({ json: true, write: (line) => lines.push(line) });
log.info('started', { port: 8080, trace_id: '0af7651916cd43dd8448eb211c80319c' });

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock, systemRandom } from '@holdfast/core';
import { createLogger } from '@holdfast/telemetry/log';
import { NO_METRICS } from '../metrics/sidecar-metrics.ts';
import { apiHandler } from '../server/api-handler.ts';
import { startApiServer } from '../server/doors/api-server.ts';
import { sendRaw } from '../testing/raw-http.ts';
import { createTracing } from '../trace/tracing.ts';
import { apiPipeline } from './api-pipeline.ts';
import { type Middleware, PASS, plainAnswer } from './middleware.ts';

for (const how of ['at once', 'later'] as const) {
  test(`a fault behind middleware that knows ${how} is answered with 500, logged, and the next is served`, async (t) => {
    const lines: string[] = [];
    const slow: Middleware = { judge: () => (how === 'later' ? Promise.resolve(PASS) : PASS) };
    const port = await serve(t, [slow], lines);
    const failed = await sendRaw(port, { path: '/clash' });
    const next = await sendRaw(port, { path: '/' });
    assert.deepEqual([failed.status, next.status, lines.length], [500, 204, 1]);
    assert.match(lines.join(), /RangeError: two policies are called/);
  });
}

test('an answer of middleware keeps the body it did not read from being taken for a request', async (t) => {
  const no: Middleware = { judge: () => plainAnswer(401, 'no', ['www-authenticate', 'Bearer']) };
  const port = await serve(t, [no], []);
  const body = 'GET /clash HTTP/1.1\r\nHost: x\r\n\r\n';
  const {
    status,
    headers,
    body: said,
  } = await sendRaw(port, {
    raw: `POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length + 10}\r\n\r\n${body}`,
  });
  assert.deepEqual(
    [status, said, headers.connection, headers['www-authenticate']],
    [401, 'no', 'close', 'Bearer'],
  );
});

async function serve(
  t: { after(work: () => void): void },
  chain: readonly Middleware[],
  lines: string[],
): Promise<number> {
  const tracing = createTracing({
    samplingRate: 0,
    random: systemRandom,
    clock: systemClock,
    sink: undefined,
  });
  const api = await startApiServer({
    hosts: ['127.0.0.1'],
    port: 0,
    flag: '--dapr-http-port',
    maxHeaderBytes: 8_192,
    maxConnections: 10,
    onRequest: apiHandler({
      clock: systemClock,
      log: createLogger({ write: (line) => void lines.push(line) }),
      tracing,
      metrics: NO_METRICS,
      allowed: () => true,
      route: apiPipeline(
        () => chain,
        (call) => {
          if (call.head.path === '/clash') throw new RangeError('two policies are called "same"');
          call.empty(204);
        },
      ),
    }),
  });
  t.after(() => api.close());
  return api.port;
}

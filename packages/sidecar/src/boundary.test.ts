import assert from 'node:assert/strict';
import net from 'node:net';
import { describe, test } from 'node:test';
import { systemClock, systemRandom } from '@holdfast/core';
import { createLogger } from '@holdfast/telemetry/log';
import { NO_METRICS } from './metrics/sidecar-metrics.ts';
import { staticNames } from './names/static-names.ts';
import { HEAD, headText, LAST, PREFACE } from './peers/frame-format.ts';
import { apiHandler } from './server/api-handler.ts';
import { startApiServer } from './server/doors/api-server.ts';
import { startSidecar } from './start-sidecar.ts';
import { sendRaw } from './testing/raw-http.ts';
import { startApp, startMesh } from './testing/start-mesh.ts';
import { createTracing } from './trace/tracing.ts';

const limits = { maxHeaderBytes: 8_192, maxConnections: 100, hosts: ['127.0.0.1'], port: 0 };

describe('one request cannot end the sidecar', () => {
  test('a fault while its pipeline is made is answered with 500, logged, and the next is served', async (t) => {
    const lines: string[] = [];
    const api = await startApiServer({
      ...limits,
      flag: '--dapr-http-port',
      onRequest: apiHandler({
        clock: systemClock,
        log: createLogger({ write: (line) => void lines.push(line) }),
        tracing: createTracing({
          samplingRate: 0,
          random: systemRandom,
          clock: systemClock,
          sink: undefined,
        }),
        metrics: NO_METRICS,
        allowed: () => true,
        route(call) {
          if (call.head.path === '/clash') throw new RangeError('two policies are called "same"');
          call.empty(204);
        },
      }),
    });
    t.after(() => api.close());

    const failed = await sendRaw(api.port, { path: '/clash' });
    const next = await sendRaw(api.port, { path: '/' });

    const message = 'RangeError: two policies are called "same"';
    assert.deepEqual(
      [failed.status, JSON.parse(failed.body), next.status],
      [500, { errorCode: 'ERR_DIRECT_INVOKE', message }, 204],
    );
    assert.match(lines.join(), /RangeError: two policies are called/);
  });

  test('one name for a timeout, a retry and a circuit is no clash', async (t) => {
    let calls = 0;
    const { url } = await startMesh(
      t,
      (_req, res) => {
        calls += 1;
        res.writeHead(500).end();
      },
      {
        resiliency: `
apiVersion: dapr.io/v1alpha1
kind: Resiliency
metadata: { name: r }
spec:
  policies:
    timeouts: { same: 5s }
    retries: { same: { policy: constant, duration: 5ms, maxRetries: 2 } }
    circuitBreakers: { same: { trip: consecutiveFailures >= 3, timeout: 90s } }
  targets: { apps: { callee: { timeout: same, retry: same, circuitBreaker: same } } }
`,
      },
    );
    const statuses = [(await fetch(`${url}/x`)).status, (await fetch(`${url}/x`)).status];
    assert.deepEqual([statuses, calls], [[500, 500], 3]);
  });

  test('an answer of a peer that cannot be written as HTTP costs its own request', async (t) => {
    const head = Buffer.from(headText('200', ['not a name', 'v']));
    const peer = net.createServer((socket) => {
      socket.on('error', () => {});
      socket.write(PREFACE);
      socket.on('data', (bytes: Buffer) => {
        const at = bytes.indexOf(PREFACE) === 0 ? PREFACE.length : 0;
        if (bytes.length < at + 9) return;
        const start = Buffer.alloc(11);
        start.writeUInt32BE(2 + head.length, 0);
        start[4] = HEAD | LAST;
        bytes.copy(start, 5, at + 5, at + 9);
        start.writeUInt16BE(head.length, 9);
        socket.write(Buffer.concat([start, head]));
      });
    });
    await new Promise<void>((resolve) => peer.listen(0, '127.0.0.1', resolve));
    const { port } = peer.address() as net.AddressInfo;
    const names = staticNames({ odd: `127.0.0.1:${port}` });
    const sidecar = await startSidecar({ appId: 'a', httpPort: 0, metricsPort: 0, names });
    t.after(async () => {
      await sidecar.stop({ force: true });
      peer.close();
    });

    const odd = await sendRaw(sidecar.ports.http, { path: '/v1.0/invoke/odd/method/x' });
    const next = await sendRaw(sidecar.ports.http, { path: '/v1.0/healthz' });

    assert.deepEqual([odd.status, next.status], [500, 204]);
  });
});

test('a client that never ends its head gets 408, and others are served meanwhile', async (t) => {
  const api = await startApiServer({
    ...limits,
    flag: '--dapr-http-port',
    headersTimeoutMs: 300,
    onRequest: (_req, res) => void res.end('served'),
  });
  t.after(() => api.close());

  const slow = Array.from({ length: 50 }, () =>
    sendRaw(api.port, { raw: 'GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ' }),
  );
  const meanwhile = await sendRaw(api.port, { path: '/' });
  const statuses = (await Promise.all(slow)).map(({ status }) => status);

  assert.deepEqual([meanwhile.body, [...new Set(statuses)]], ['served', [408]]);
});

test('a URL as the target has its retries and a circuit for each method', async (t) => {
  const seen: string[] = [];
  const port = await startApp(t, (req, res) => {
    seen.push(req.url!);
    res.writeHead(req.url === '/base/good' ? 200 : 503).end();
  });
  const base = `http://127.0.0.1:${port}/base`;
  const { caller } = await startMesh(t, (_req, res) => res.end(), {
    resiliency: `
apiVersion: dapr.io/v1alpha1
kind: Resiliency
metadata: { name: r }
spec:
  policies:
    retries: { once: { policy: constant, duration: 5ms, maxRetries: 1 } }
    circuitBreakers: { two: { trip: consecutiveFailures >= 2, timeout: 90s } }
  targets: { apps: { "${base}": { retry: once, circuitBreaker: two } } }
`,
  });
  const ask = async (id: string, method: string): Promise<number> => {
    const path = `/v1.0/invoke/${id}/method/${method}`;
    return (await sendRaw(caller.ports.http, { path })).status;
  };

  const statuses = [
    await ask(base, 'bad'),
    await ask(encodeURIComponent(base), 'bad'),
    await ask(base, 'good'),
  ];

  assert.deepEqual(
    [statuses, seen],
    [
      [503, 500, 200],
      ['/base/bad', '/base/bad', '/base/good'],
    ],
  );
});

test('a line for each call of the API where it is asked for, without what the query says', async (t) => {
  const { url, log } = await startMesh(t, (_req, res) => res.end('ok'), {
    caller: { enableApiLogging: true },
  });
  await (await fetch(`${url}/x?password=secret`)).text();
  assert.deepEqual(
    [log.filter((line) => line === 'HTTP API Called').length, log.join().includes('secret')],
    [1, false],
  );
});

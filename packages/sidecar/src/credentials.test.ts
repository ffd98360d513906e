import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { test } from 'node:test';
import { createLogger } from '@holdfast/telemetry/log';
import { startSidecar } from './start-sidecar.ts';
import { sendRaw } from './testing/raw-http.ts';
import { temporaryFolder } from './testing/start-mesh.ts';

test('the password of a URL reaches its target, and no log, span, label, circuit or error', async (t) => {
  const heard: (string | undefined)[] = [];
  const told: string[] = [];
  const server = http.createServer((req, res) => {
    if (req.url === '/spans') req.on('data', (body: Buffer) => told.push(body.toString()));
    else heard.push(req.headers.authorization);
    res.writeHead(req.url === '/fail' ? 503 : 200).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  const url = `http://us:s3cret@127.0.0.1:${port}`;
  const folder = await temporaryFolder(t);
  await writeFile(path.join(folder, 'policies.yaml'), policies(url));
  const config = path.join(folder, 'config.yaml');
  await writeFile(config, configuration(port));
  const lines: string[] = [];
  const sidecar = await startSidecar(
    {
      appId: 'caller',
      httpPort: 0,
      grpcPort: 0,
      metricsPort: 0,
      resourcesPaths: [folder],
      configPaths: [config],
    },
    { log: createLogger({ level: 'debug', write: (line) => void lines.push(line) }) },
  );
  try {
    const ask = async (to: string, headers: string[] = []) => {
      const answer = await sendRaw(sidecar.ports.http, { path: to, headers });
      told.push(answer.body, JSON.stringify(answer.headers));
      return answer.status;
    };
    const invoke = '/v1.0/invoke/';
    assert.deepEqual(
      [
        await ask(`${invoke}${url}/method/ok`),
        await ask('/ok', [`dapr-app-id: ${url}`]),
        await ask(`${invoke}${encodeURIComponent(url)}/method/fail`),
        await ask(`${invoke}${url}/method/fail`),
        await ask(`${invoke}http://us:s3cret@127.0.0.1:1/method/x`),
        await ask(`${invoke}ftp://us:s3cret@127.0.0.1:1/method/x`),
        await ask(`${invoke}http://us:s3cret@/method/x`),
      ],
      [200, 200, 503, 500, 500, 500, 500],
    );
    await ask('/v1.0/metadata');
    const page = await fetch(`http://127.0.0.1:${sidecar.ports.metrics}/metrics`);
    told.push(...(await page.text()).split('\n'));
  } finally {
    await sidecar.stop();
  }
  const basic = `Basic ${Buffer.from('us:s3cret').toString('base64')}`;
  assert.deepEqual([...new Set(heard)], [basic]);
  assert.deepEqual(
    [...told, ...lines].filter((text) => text.includes('s3cret')),
    [],
  );
  // What should have been looked at was there.
  const whole = [...told, ...lines].join('\n');
  for (const part of ['CallLocal/http://127', 'pipeline="http://127', 'GET /v1.0/invoke/http://']) {
    assert.ok(whole.includes(part), part);
  }
});

const policies = (url: string): string => `
apiVersion: dapr.io/v1alpha1
kind: Resiliency
metadata: { name: r }
spec:
  policies:
    circuitBreakers: { c: { maxRequests: 1, timeout: 60s, trip: consecutiveFailures > 0 } }
  targets: { apps: { "${url}": { circuitBreaker: c } } }
`;

const configuration = (port: number): string => `
apiVersion: dapr.io/v1alpha1
kind: Configuration
metadata: { name: c }
spec:
  tracing: { samplingRate: "1", zipkin: { endpointAddress: "http://127.0.0.1:${port}/spans" } }
  metrics: { http: { increasedCardinality: true } }
  logging: { apiLogging: { enabled: true } }
`;

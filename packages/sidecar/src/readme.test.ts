import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { startSidecar } from '@holdfast/sidecar';

test('the README’s example calls an application by its id, and stops', async (t) => {
  const app = createServer((req, res) => res.end(`charged at ${req.url}`));
  await new Promise<void>((resolve) => app.listen(0, '127.0.0.1', resolve));
  t.after(() => app.close());
  const { port: appPort } = app.address() as AddressInfo;
  const resources = await mkdtemp(join(tmpdir(), 'holdfast-readme-'));
  t.after(() => rm(resources, { recursive: true, force: true }));
  const config = join(resources, 'config.yaml');
  await writeFile(config, configuration(join(resources, 'names.db')));

  const sidecar = await startSidecar({
    appId: 'orders',
    appPort, // absent: the application calls others but is not called
    httpPort: 0, // any free port; absent: 3500, as daprd
    metricsPort: 0, // absent: 9090
    resourcesPaths: [resources], // Resiliency, Component, Subscription, HTTPEndpoint
    configPaths: [config], // nameResolution, tracing, metrics, accessControl …
  });
  const url = `http://127.0.0.1:${sidecar.ports.http}/v1.0/invoke/orders/method/charge`;
  const answer = await (await fetch(url)).text();
  await sidecar.stop();

  assert.equal(answer, 'charged at /charge');
});

const configuration = (names: string) => `
apiVersion: dapr.io/v1alpha1
kind: Configuration
metadata: { name: readme }
spec:
  nameResolution:
    component: sqlite
    version: v1
    configuration: { connectionString: ${names} }
`;

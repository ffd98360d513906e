import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { describe, test } from 'node:test';
import { bothMakes, type Make } from '../makes/both-makes.ts';
import { startEchoApp } from '../makes/echo-app.ts';
import { startOne } from '../makes/one-sidecar.ts';

await bothMakes(otlpOf);

/** Both read OpenTelemetry's variables from the environment of this process. */
function otlpOf(make: Make, executable: string | undefined): void {
  describe(`${make} sends spans to a collector of OTLP`, () => {
    test('with the headers of the file, whatever the variables say', async () => {
      const sent = await firstExport(executable, 'headers: ["from=file"],', {
        OTEL_EXPORTER_OTLP_TRACES_HEADERS: 'from=variable,more=variable',
      });

      assert.deepEqual([sent.from, sent.more], ['file', undefined]);
    });

    test('with the headers of the variables where the file names none', async () => {
      const sent = await firstExport(executable, '', {
        OTEL_EXPORTER_OTLP_TRACES_HEADERS: 'from=variable',
      });

      assert.equal(sent.from, 'variable');
    });

    test('to the collector of the file, whatever the variables say', async () => {
      const sent = await firstExport(executable, '', {
        OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1',
        OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc',
      });

      assert.equal(sent['content-type'], 'application/x-protobuf');
    });
  });
}

/** Headers of the first batch of spans that comes here when an application is called. */
async function firstExport(
  executable: string | undefined,
  keys: string,
  variables: Readonly<Record<string, string>>,
): Promise<http.IncomingHttpHeaders> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'holdfast-otlp-'));
  const app = await startEchoApp();
  const { promise, resolve } = Promise.withResolvers<http.IncomingHttpHeaders>();
  const collector = http.createServer((req, res) => {
    req.resume().on('end', () => res.writeHead(200).end());
    resolve(req.headers);
  });
  await new Promise<void>((listening) => collector.listen(0, '127.0.0.1', listening));
  const { port } = collector.address() as AddressInfo;
  const config = path.join(folder, 'config.yaml');
  // Not the folder of the file: daprd starts anew when it finds a Configuration among its resources.
  const resources = path.join(folder, 'resources');
  await mkdir(resources);
  await writeFile(
    config,
    `apiVersion: dapr.io/v1alpha1
kind: Configuration
metadata: { name: traced }
spec:
  nameResolution: { component: sqlite, version: v1, configuration: { connectionString: "${folder}/names.db" } }
  tracing:
    samplingRate: "1"
    otel: { endpointAddress: "127.0.0.1:${port}", protocol: http, isSecure: false, ${keys} }
`,
  );
  Object.assign(process.env, variables);
  const start = { role: 'traced', appPort: app.port, resources, configs: [config] };
  const sidecar = await startOne(executable, { ...start, secured: false });
  try {
    await fetch(`http://127.0.0.1:${sidecar.ports.http}/v1.0/invoke/traced/method/x`);
    return await promise;
  } finally {
    for (const name of Object.keys(variables)) delete process.env[name];
    await sidecar.stop();
    await app.close();
    collector.closeAllConnections();
    collector.close();
    await rm(folder, { recursive: true, force: true });
  }
}

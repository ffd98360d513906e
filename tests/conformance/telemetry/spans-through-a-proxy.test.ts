import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import http2 from 'node:http2';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { until } from '@holdfast/test-servers';
import { bothMakes, type Make } from '../makes/both-makes.ts';
import { startFlagged } from '../makes/flagged.ts';
import { type StandingProxy, startProxy } from '../makes/proxy.ts';

await bothMakes(conformance);

const EXPORT = '/opentelemetry.proto.collector.trace.v1.TraceService/Export';
const ZIPKIN = 'zipkin: { endpointAddress: "http://zipkin.example:9411/api/v2/spans" }';
const otel = (protocol: string, address: string) =>
  `otel: { endpointAddress: "${address}", protocol: ${protocol}, isSecure: false }`;

/** Collectors at names that no machine has: whoever reaches them was led there by the proxy. */
function conformance(make: Make, executable: string | undefined): void {
  describe(`${make} sends spans through the proxy that the environment names`, () => {
    let collector: http2.Http2Server;
    const sessions = new Set<http2.ServerHttp2Session>();
    let proxy: StandingProxy;
    /** Paths of calls over HTTP/2, with whom they were for. */
    const called: string[] = [];
    before(async () => {
      collector = http2.createServer();
      collector.on('session', (session) => sessions.add(session));
      collector.on('stream', (stream, headers) => {
        called.push(`${headers[':authority']}${headers[':path']}`);
        stream.respond(
          { ':status': 200, 'content-type': 'application/grpc' },
          { waitForTrailers: true },
        );
        stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
        stream.resume().on('end', () => stream.end(Buffer.alloc(5)));
      });
      await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve));
      const { port } = collector.address() as AddressInfo;
      proxy = await startProxy({ 'otlp.example:4317': port });
    });
    after(async () => {
      await proxy?.close();
      for (const session of sessions) session.destroy();
      collector.close();
    });

    /** Runs a sidecar that traces as `tracing` says until `sent` is so. */
    async function traced(tracing: string, env: Env, sent: () => boolean): Promise<void> {
      const folder = await mkdtemp(path.join(tmpdir(), 'holdfast-spans-'));
      const config = path.join(folder, 'config.yaml');
      await writeFile(
        config,
        `apiVersion: dapr.io/v1alpha1
kind: Configuration
metadata: { name: traced }
spec: { tracing: { samplingRate: "1", ${tracing} } }
`,
      );
      const sidecar = await startFlagged(executable, { flags: { config }, env });
      try {
        await fetch(`http://127.0.0.1:${sidecar.ports.http}/v1.0/state/none/key`);
        await until('spans reach the collector', sent);
      } finally {
        await sidecar.stop();
        await rm(folder, { recursive: true, force: true });
      }
    }
    const at = () => `http://me:pa%20ss@127.0.0.1:${proxy.port}`;
    const wasAsked = (what: string) => () => proxy.asked.includes(what);

    test('to Zipkin', async () => {
      await traced(
        ZIPKIN,
        { HTTP_PROXY: at() },
        wasAsked('POST http://zipkin.example:9411/api/v2/spans'),
      );
    });

    test('to a collector over HTTP', async () => {
      await traced(
        otel('http', 'otlp.example:4318'),
        { HTTP_PROXY: at() },
        wasAsked('POST http://otlp.example:4318/v1/traces'),
      );
    });

    test('to one over gRPC, for which HTTPS_PROXY counts, also in the clear', async () => {
      await traced(
        otel('grpc', 'otlp.example:4317'),
        { HTTP_PROXY: 'http://127.0.0.1:1', HTTPS_PROXY: at() },
        () => called.length > 0,
      );
      assert.equal(called[0], `otlp.example:4317${EXPORT}`);
      assert.ok(wasAsked('CONNECT otlp.example:4317')(), proxy.asked.join());
    });

    test('with the name and password of the proxy', () => {
      const signedIn = `Basic ${Buffer.from('me:pa ss').toString('base64')}`;
      assert.deepEqual(new Set(proxy.signedIn), new Set([signedIn]));
    });
  });
}

type Env = Readonly<Record<string, string>>;

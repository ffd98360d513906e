import assert from 'node:assert/strict';
import http from 'node:http';
import http2 from 'node:http2';
import type { AddressInfo, Server } from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import { until } from '@holdfast/test-servers';
import { bothMakes, type Make } from '../makes/both-makes.ts';
import { type Flagged, type FlaggedSetup, startFlagged } from '../makes/flagged.ts';

/** What the application does when it is asked for its health. */
type Health = 'well' | 'ill' | 'late' | 'gone';

await bothMakes(conformance);

/** What operators look for in the log, and what is counted of probes. */
function conformance(make: Make, executable: string | undefined): void {
  describe(`${make}, probes of an application’s health`, () => {
    test('over HTTP: it enters a status for a reason', async (t) => {
      let now: Health = 'well';
      const app = http.createServer((req, res) => {
        if (now === 'gone') req.socket.destroy();
        else if (now !== 'late') res.writeHead(now === 'well' ? 200 : 503).end();
      });
      const { at, entered } = await watched(t, app, 'http');
      const get = `Network error: Get "http://127.0.0.1:${at}/healthz"`;
      for (const [health, told] of [
        ['well', 'info App entered healthy status'],
        ['ill', 'warning App entered un-healthy status: Health check failed with status code: 503'],
        ['well', 'info App entered healthy status'],
        ['late', `warning App entered un-healthy status: ${get}: context deadline exceeded`],
        ['well', 'info App entered healthy status'],
        ['gone', `warning App entered un-healthy status: ${get}: EOF`],
      ] as const) {
        now = health;
        assert.equal(await entered(), told);
      }
    });

    test('over gRPC: it does, and probes are counted apart from its callbacks', async (t) => {
      let now: Exclude<Health, 'gone'> = 'well';
      const app = http2.createServer();
      app.on('stream', (stream) => {
        stream.on('error', () => {});
        const head = { ':status': 200, 'content-type': 'application/grpc' };
        if (now === 'late') return;
        if (now === 'ill')
          return stream.respond({ ...head, 'grpc-status': '12' }, { endStream: true });
        stream.respond(head, { waitForTrailers: true });
        stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
        stream.end(Buffer.alloc(5));
      });
      const { counted, entered } = await watched(t, app, 'grpc');
      const error = 'warning App entered un-healthy status: Probe error: rpc error: code =';
      for (const [health, told] of [
        ['well', 'info App entered healthy status'],
        ['ill', `${error} Unimplemented desc = `],
        ['well', 'info App entered healthy status'],
        ['late', `${error} DeadlineExceeded desc = context deadline exceeded`],
      ] as const) {
        now = health;
        assert.equal(await entered(), told);
      }
      assert.deepEqual(await counted(), ['DeadlineExceeded', 'OK', 'Unimplemented']);
    });

    for (const [protocol, path] of [
      ['http', { healthCheckPath: 'well' }],
      ['grpc', {}],
    ] as const) {
      test(`${protocol}: the metadata say how it is probed`, async (t) => {
        const app = http.createServer();
        const { metadata } = await watched(t, app, protocol, {
          'app-health-check-path': 'well',
          'app-health-probe-interval': 90,
          'app-health-probe-timeout': 1_500,
        });
        assert.deepEqual((await metadata()).appConnectionProperties.health, {
          ...path,
          healthProbeInterval: '1m30s',
          healthProbeTimeout: '1.5s',
          healthThreshold: 1,
        });
      });
    }

    /** A sidecar that probes the application every second. */
    async function watched(
      t: TestContext,
      app: Server,
      protocol: string,
      flags: FlaggedSetup['flags'] = {},
    ) {
      app.listen(0, '127.0.0.1');
      await new Promise((resolve) => app.once('listening', resolve));
      const { port } = app.address() as AddressInfo;
      let sidecar: Flagged | undefined;
      t.after(async () => {
        await sidecar?.stop();
        app.close();
        if (app instanceof http.Server) app.closeAllConnections();
      });
      sidecar = await startFlagged(executable, {
        flags: {
          'app-port': port,
          'app-protocol': protocol,
          'enable-app-health-check': true,
          'app-health-probe-interval': 1,
          'app-health-probe-timeout': 400,
          'app-health-threshold': 1,
          ...flags,
        },
        // Where nothing tells that it is well, it is not ready, and answers.
        wait: Object.keys(flags).length === 0,
      });
      const { ports, said } = sidecar;
      const lines = (): readonly string[] =>
        [...said().matchAll(/level=(\w+) msg="(App entered (?:[^"\\]|\\.)*)"/g)].map(
          ([, level, text = '']) => `${level} ${text.replaceAll('\\"', '"')}`,
        );
      let seen = 0;
      return {
        at: port,
        async metadata(): Promise<{ appConnectionProperties: { health: unknown } }> {
          const url = `http://127.0.0.1:${ports.http}/v1.0/metadata`;
          let body: { appConnectionProperties: { health: unknown } } | undefined;
          await until('it answers', async () => {
            body = await fetch(url).then(
              (answer) => answer.json() as Promise<NonNullable<typeof body>>,
              () => undefined,
            );
            return body !== undefined;
          });
          return body!;
        },
        /** The next line that tells of a change. */
        async entered(): Promise<string | undefined> {
          await until('it is told', () => lines().length > seen);
          seen += 1;
          return lines()[seen - 1];
        },
        /** The statuses that probes over gRPC are counted by; no other call of the application is. */
        async counted(): Promise<readonly string[]> {
          const page = await (await fetch(`http://127.0.0.1:${ports.metrics}/`)).text();
          assert.doesNotMatch(page, /^dapr_grpc_io_client_completed_rpcs.*HealthCheck/m);
          const family = /^dapr_grpc_io_healthprobes_completed_count\{.*status="(\w+)"\} [1-9]/gm;
          assert.match(page, /^dapr_grpc_io_healthprobes_roundtrip_latency_count\{.*"OK"\}/m);
          return [...page.matchAll(family)].map(([, status = '']) => status).sort();
        },
      };
    }
  });
}

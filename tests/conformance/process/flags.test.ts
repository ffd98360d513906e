import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import http from 'node:http';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort, until } from '@holdfast/test-servers';
import { sendRaw } from '../../../packages/sidecar/src/testing/raw-http.ts';
import { corsAll, corsNone, corsSome } from '../cases/cors.ts';
import { bothMakes, type Make } from '../makes/both-makes.ts';
import type { Case } from '../makes/case.ts';
import { type EchoApp, type Seen, startEchoApp } from '../makes/echo-app.ts';
import { type Flagged, type FlaggedSetup, startFlagged } from '../makes/flagged.ts';
import { daprClient } from '../makes/grpc-client.ts';
import { playCase } from '../makes/play-case.ts';

await bothMakes(conformance);

function conformance(make: Make, executable: string | undefined): void {
  const cors: readonly [string, string, Record<string, string>, readonly Case<never>[]][] = [
    ['for some', 'http://a.example,https://*.b.example', {}, corsSome],
    ['for all', 'http://b.example,*', { DAPR_API_TOKEN: 'open-sesame' }, corsAll],
    ['for nobody', '', {}, corsNone],
  ];
  for (const [whom, origins, env, cases] of cors) {
    describe(`${make}, --allowed-origins ${whom}`, () => {
      let app: EchoApp;
      let sidecar: Flagged;
      before(async () => {
        app = await startEchoApp();
        const flags = { 'app-port': app.port, 'allowed-origins': origins };
        sidecar = await startFlagged(executable, { flags, env });
      });
      after(async () => {
        await sidecar.stop();
        await app.close();
      });
      for (const one of cases) {
        const differs = one.daprd === undefined ? '' : `; daprd differs: ${one.daprd.why}`;
        test(`${one.name}${differs}`, () =>
          playCase({ app, port: () => sidecar.ports.http }, one, make));
      }
    });
  }

  describe(`${make}, --unix-domain-socket`, () => {
    test('the API is on sockets and on no port; other sidecars and scrapes have theirs', async (t) => {
      const folder = await mkdtemp(path.join(os.tmpdir(), 'hf-'));
      const app = await startEchoApp();
      const flags = { 'app-port': app.port, 'unix-domain-socket': folder };
      const sidecar = await startFlagged(executable, { flags, wait: false });
      t.after(async () => {
        await sidecar.stop();
        await app.close();
        await rm(folder, { recursive: true });
      });
      const [overHttp, overGrpc] = ['http', 'grpc'].map((kind) =>
        path.join(folder, `dapr-probe-${kind}.socket`),
      );
      await until('it is ready', async () => (await statusOn(overHttp!, '/v1.0/healthz')) === 204);

      const { ports } = sidecar;
      const open = await Promise.all(
        [ports.http, ports.grpc, ports.internal, ports.metrics].map(listens),
      );
      const client = daprClient(ports.grpc, { createConnection: () => net.connect(overGrpc!) });
      const seen = {
        open,
        invoked: await statusOn(overHttp!, '/v1.0/invoke/probe/method/m'),
        rpc: (await client.getMetadata({})).id,
        modes: [(await stat(overHttp!)).mode & 0o777, (await stat(overGrpc!)).mode & 0o777],
      };
      sidecar.child.kill('SIGTERM');
      const [code] = await sidecar.exited;

      const left = [existsSync(overHttp!), existsSync(overGrpc!)];
      const mode = 0o777 & ~process.umask();
      assert.deepEqual(
        { ...seen, code, left },
        {
          open: [false, false, true, true],
          invoked: 200,
          rpc: 'probe',
          modes: [mode, mode],
          code: 0,
          left: [false, false],
        },
      );
    });

    const stale =
      'sockets of one that was killed: ours are replaced, daprd ends and starts the next time';
    test(stale, async (t) => {
      const folder = await mkdtemp(path.join(os.tmpdir(), 'hf-'));
      t.after(() => rm(folder, { recursive: true }));
      const flags = { 'unix-domain-socket': folder };
      const socket = path.join(folder, 'dapr-probe-http.socket');
      const first = await startFlagged(executable, { flags, wait: false });
      await until('it is ready', async () => (await statusOn(socket, '/v1.0/healthz')) === 204);
      await first.stop();
      const second = await startFlagged(executable, { flags, wait: false });
      t.after(() => second.stop());
      if (make === 'daprd') assert.deepEqual((await second.exited)[0], 1);
      else await until('it is back', async () => (await statusOn(socket, '/v1.0/healthz')) === 204);
    });
  });

  describe(`${make}, --dapr-block-shutdown-duration`, () => {
    test('after the signal calls go on and events do not, and it is not ready, until the time is over', async (t) => {
      const { app, sidecar } = await blocking(t, { 'dapr-block-shutdown-duration': '4s' });
      const get = (rest: string) => sendRaw(sidecar.ports.http, { path: `/v1.0/${rest}` });
      const publish = () =>
        sendRaw(sidecar.ports.http, {
          method: 'POST',
          path: '/v1.0/publish/bus/t',
          headers: ['content-type: application/json'],
          body: '"event"',
        });
      // daprd is ready a moment before it subscribes.
      await until('an event before arrives', async () => {
        await publish();
        return app.calls('/event') > 0;
      });

      const signalled = performance.now();
      sidecar.child.kill('SIGTERM');
      await until('it is not ready', async () => (await get('healthz')).status === 500);
      await sleep(300);
      const events = app.calls('/event');
      const answers = [
        (await get('healthz')).status,
        (await get('healthz/outbound')).status,
        (await get('invoke/probe/method/m')).status,
        (await get('metadata')).status,
        (await publish()).status,
      ];
      const [code] = await sidecar.exited;

      assert.deepEqual(answers, [500, 204, 200, 200, 204]);
      assert.deepEqual([code, app.calls('/event')], [0, events]);
      assert.ok(performance.now() - signalled >= 3_900);
    });

    test('an application that its health check finds unhealthy ends it', async (t) => {
      const flags = {
        'dapr-block-shutdown-duration': '10m',
        'enable-app-health-check': true,
        'app-health-probe-interval': 1,
        'app-health-threshold': 1,
      } as const;
      const { app, sidecar } = await blocking(t, flags);
      sidecar.child.kill('SIGTERM');
      await until('it lingers', async () => /Blocking graceful/.test(sidecar.said()));
      await app.close();
      assert.deepEqual(await sidecar.exited, [0, null]);
    });

    test('the API ends it at once, and so does a second signal', async (t) => {
      const flags = { 'dapr-block-shutdown-duration': '10m' };
      const byApi = await blocking(t, flags);
      await sendRaw(byApi.sidecar.ports.http, { method: 'POST', path: '/v1.0/shutdown' });
      assert.deepEqual(await byApi.sidecar.exited, [0, null]);
      const { sidecar } = await blocking(t, flags);
      sidecar.child.kill('SIGTERM');
      await until('it lingers', async () => /Blocking graceful/.test(sidecar.said()));
      sidecar.child.kill('SIGTERM');
      const [, signal] = await sidecar.exited;
      assert.equal(signal, null);
    });

    async function blocking(t: TestContext, flags: FlaggedSetup['flags']) {
      const app = await startEchoApp(({ url }) =>
        url === '/dapr/subscribe' ? { status: 200, body: '[]' } : undefined,
      );
      const sidecar = await startFlagged(executable, {
        flags: { 'app-port': app.port, ...flags },
        resources: { 'bus.yaml': BUS, 'subscription.yaml': SUBSCRIPTION },
      });
      t.after(async () => {
        await sidecar.stop();
        await app.close();
      });
      return { app, sidecar };
    }
  });

  test(`${make}, --dapr-public-listen-address: health and metadata at an address of their own`, async (t) => {
    const port = await freePort();
    const flags = { 'dapr-public-port': port, 'dapr-public-listen-address': '127.0.0.2' };
    const sidecar = await startFlagged(executable, { flags });
    t.after(() => sidecar.stop());
    const status = async (host: string, rest: string) =>
      await fetch(`http://${host}:${port}/v1.0/${rest}`).then(
        (answer) => answer.status,
        () => 0,
      );
    assert.deepEqual(
      [
        await status('127.0.0.2', 'healthz'),
        await status('127.0.0.2', 'metadata'),
        await status('127.0.0.2', 'state/x/y'),
        await status('127.0.0.1', 'healthz'),
      ],
      [204, 200, 404, 0],
    );
  });

  test(`${make}, a changed Configuration: an API closes, middleware comes in the way`, async (t) => {
    const folder = await mkdtemp(path.join(os.tmpdir(), 'hf-'));
    t.after(() => rm(folder, { recursive: true }));
    const config = path.join(folder, 'config.yaml');
    const write = (spec: string) =>
      writeFile(
        config,
        `apiVersion: dapr.io/v1alpha1\nkind: Configuration\nmetadata: { name: c }\nspec: { ${spec} }\n`,
      );
    await write('tracing: { samplingRate: "0" }');
    const app = await startEchoApp();
    t.after(() => app.close());
    const flags = { 'app-port': app.port, config };
    const resources = { 'up.yaml': UPPERCASE };
    const sidecar = await startFlagged(executable, { flags, resources });
    t.after(() => sidecar.stop());
    const status = async (rest: string) =>
      await fetch(`http://127.0.0.1:${sidecar.ports.http}/v1.0/${rest}`).then(
        (answer) => answer.status,
        () => 0,
      );
    assert.deepEqual([await status('metadata'), await status('invoke/probe/method/m')], [200, 200]);

    // daprd watches its resources alone, and begins anew at a SIGHUP; ours reads both.
    await write('api: { denied: [{ name: metadata, version: v1.0, protocol: http }] }');
    sidecar.child.kill('SIGHUP');
    await until('an API is closed', async () => (await status('metadata')) === 404);
    assert.equal(await status('invoke/probe/method/m'), 200);
    await write('httpPipeline: { handlers: [{ name: up, type: middleware.http.uppercase }] }');
    sidecar.child.kill('SIGHUP');
    const url = `http://127.0.0.1:${sidecar.ports.http}/v1.0/invoke/probe/method/m`;
    await until('it is in the way', async () => {
      const answer = await fetch(url, { method: 'POST', body: 'abc' }).catch(() => undefined);
      return ((await answer?.text()) ?? '').includes('"body":"ABC"');
    });
  });

  describe(`${make}, what the application is asked at the start`, () => {
    for (const [disabled, asked] of [
      ['', ['/dapr/config', '/dapr/subscribe']],
      ['config', ['/dapr/subscribe']],
      ['config,subscribe', []],
    ] as const) {
      test(`--disable-init-endpoints=${disabled}`, async (t) => {
        const seen: Seen[] = [];
        const app = await startEchoApp((one) => {
          if (!one.url.startsWith('/dapr/')) return undefined;
          seen.push(one);
          const body = one.url === '/dapr/config' ? '{"entities":["Cart"]}' : '[]';
          return { status: 200, body };
        });
        t.after(() => app.close());
        const flags = { 'app-port': app.port, 'disable-init-endpoints': disabled };
        const sidecar = await startFlagged(executable, {
          flags: disabled === '' ? { 'app-port': app.port } : flags,
          env: { APP_API_TOKEN: 'mine' },
          // Without a broker nobody is asked for topics.
          resources: { 'bus.yaml': BUS },
        });
        t.after(() => sidecar.stop());
        await until('it has asked', async () => seen.length >= asked.length);
        await sleep(200);
        assert.deepEqual(
          seen.map(({ url }) => url),
          asked,
        );
        for (const { headers, method } of seen) {
          const { 'content-type': type, 'dapr-app-id': id, 'dapr-api-token': token } = headers;
          assert.deepEqual([method, type, id, token], ['GET', 'application/json', 'probe', 'mine']);
        }
      });
    }
  });
}

const BUS = `
apiVersion: dapr.io/v1alpha1
kind: Component
metadata: { name: bus }
spec: { type: pubsub.in-memory, version: v1, metadata: [] }
`;

const UPPERCASE = `
apiVersion: dapr.io/v1alpha1
kind: Component
metadata: { name: up }
spec: { type: middleware.http.uppercase, version: v1, metadata: [] }
`;

const SUBSCRIPTION = `
apiVersion: dapr.io/v2alpha1
kind: Subscription
metadata: { name: s }
spec: { pubsubname: bus, topic: t, routes: { default: /event } }
`;

/** The status of an answer on a Unix socket; 0 where nobody answers. */
function statusOn(socketPath: string, path: string): Promise<number> {
  return new Promise((resolve) => {
    http
      .get({ socketPath, path, agent: false }, (answer) => {
        answer.resume();
        resolve(answer.statusCode ?? 0);
      })
      .on('error', () => resolve(0));
  });
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}

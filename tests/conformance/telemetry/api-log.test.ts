import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { until } from '@holdfast/test-servers';
import { sendRaw } from '../../../packages/sidecar/src/testing/raw-http.ts';
import { rawRpc } from '../../../packages/sidecar/src/testing/raw-rpc.ts';
import { bothMakes, type Make } from '../makes/both-makes.ts';
import { startEchoApp } from '../makes/echo-app.ts';
import { type FlaggedSetup, startFlagged } from '../makes/flagged.ts';
import { startGrpcApp } from '../makes/grpc-app.ts';
import { daprClient } from '../makes/grpc-client.ts';

const STORE = `apiVersion: dapr.io/v1alpha1
kind: Component
metadata: { name: store }
spec: { type: state.in-memory, version: v1, metadata: [] }
`;
const JSON_BODY = { headers: ['content-type: application/json'], body: '{}' };

/** A call of each kind of the HTTP API. */
const CALLS: readonly { method: string; path: string; headers?: string[]; body?: string }[] = [
  { method: 'GET', path: '/v1.0/healthz' },
  { method: 'GET', path: '/v1.0/healthz/outbound' },
  { method: 'GET', path: '/v1.0/metadata?secret=x' },
  { method: 'PUT', path: '/v1.0/metadata/k', body: 'v' },
  { method: 'GET', path: '/v1.0/invoke/probe/method/a/7?t=1', headers: ['user-agent: me/1'] },
  { method: 'GET', path: '/v1.0/invoke/a.b.c/method/x' },
  { method: 'GET', path: '/b/9', headers: ['dapr-app-id: probe'] },
  { method: 'GET', path: '/nothing' },
  { method: 'PUT', path: '/v1.0/state/store', ...JSON_BODY, body: '[{"key":"a b","value":1}]' },
  { method: 'GET', path: '/v1.0/state/store/a%20b' },
  { method: 'GET', path: '/v1.0/state/none/a' },
  { method: 'DELETE', path: '/v1.0/state/store/a%20b' },
  { method: 'POST', path: '/v1.0/state/store/bulk', ...JSON_BODY, body: '{"keys":["a"]}' },
  { method: 'POST', path: '/v1.0/state/store/transaction', ...JSON_BODY },
  { method: 'POST', path: '/v1.0-alpha1/state/store/query', ...JSON_BODY },
  { method: 'POST', path: '/v1.0/publish/none/t', ...JSON_BODY },
  { method: 'GET', path: '/v1.0/secrets/none/a' },
  { method: 'GET', path: '/v1.0/configuration/none?key=a' },
  { method: 'GET', path: '/v1.0/configuration/none/subscribe' },
  { method: 'GET', path: '/v1.0-alpha1/configuration/none/7/unsubscribe' },
  { method: 'POST', path: '/v1.0/bindings/none', ...JSON_BODY },
  { method: 'PUT', path: '/v1.0/actors/T/1/method/m', ...JSON_BODY },
  { method: 'POST', path: '/v1.0/actors/T/1/reminders/r', ...JSON_BODY },
  { method: 'POST', path: '/v1.0/workflows/dapr/i/raiseEvent/e', ...JSON_BODY },
  { method: 'POST', path: '/v1.0/shutdown' },
];

const PLAIN = [
  '204 GET /v1.0/healthz/outbound',
  '200 GET /v1.0/metadata',
  '204 PUT /v1.0/metadata/k',
  '200 GET /v1.0/invoke/probe/method/a/7',
  '500 GET /v1.0/invoke/a.b.c/method/x',
  '200 GET /b/9',
  '404 GET /nothing',
  '204 PUT /v1.0/state/store',
  '200 GET /v1.0/state/store/a b',
  '400 GET /v1.0/state/none/a',
  '204 DELETE /v1.0/state/store/a b',
  '200 POST /v1.0/state/store/bulk',
  '204 POST /v1.0/state/store/transaction',
  '500 POST /v1.0-alpha1/state/store/query',
  '404 POST /v1.0/publish/none/t',
  '500 GET /v1.0/secrets/none/a',
  '500 GET /v1.0/configuration/none',
  '500 GET /v1.0/configuration/none/subscribe',
  '500 GET /v1.0-alpha1/configuration/none/7/unsubscribe',
  '500 POST /v1.0/bindings/none',
  '400 PUT /v1.0/actors/T/1/method/m',
  '400 POST /v1.0/actors/T/1/reminders/r',
  '400 POST /v1.0/workflows/dapr/i/raiseEvent/e',
  '204 POST /v1.0/shutdown',
];

const NAMED = [
  '200 GetMetadata',
  '204 PutMetadata',
  '200 InvokeService/probe',
  '500 InvokeService/a.b.c',
  '200 InvokeService/probe',
  '404 InvokeService',
  '204 SaveState',
  '200 GetState',
  '400 GetState',
  '204 DeleteState',
  '200 GetBulkState',
  '204 ExecuteStateTransaction',
  '500 QueryStateAlpha1',
  '404 PublishEvent',
  '500 GetSecret',
  '500 GetConfiguration',
  '500 SubscribeConfiguration',
  '500 UnsubscribeConfiguration',
  '500 InvokeBinding',
  '400 InvokeActor/T.1',
  '400 RegisterActorReminder',
  '400 RaiseEventWorkflow',
  '204 Shutdown',
];

/** Whoever waits for a sidecar asks for its health as often as it takes. */
const isNoProbe = (line: string): boolean => !line.endsWith('/healthz');

/** daprd has actors and workflows, and no placement service here; ours has neither, and says so. */
const expected = (make: Make, lines: readonly string[]): readonly string[] =>
  make === 'daprd'
    ? lines
    : lines.map((line) =>
        line.replace(/^400 (?=.*(?:actors\/|workflows\/|Actor|Workflow))/, '501 '),
      );

await bothMakes(conformance);

function conformance(make: Make, executable: string | undefined): void {
  describe(`${make}, lines of calls of the API`, () => {
    test('in words, whatever --log-level says, with the path and without the query', async (t) => {
      const { lines } = await callAll(t, { 'enable-api-logging': true, 'log-level': 'error' });
      assert.deepEqual(
        lines.map(({ code, method }) => `${code} ${method}`).filter(isNoProbe),
        expected(make, PLAIN),
      );
      const { duration, size, ...one } = lines.find(({ useragent }) => useragent === 'me/1')!;
      assert.ok(Number(duration) >= 0 && Number(size) > 20);
      assert.deepEqual(withoutOwn(one), {
        level: 'info',
        msg: 'HTTP API Called',
        app_id: 'probe',
        code: '200',
        method: 'GET /v1.0/invoke/probe/method/a/7',
        scope: 'dapr.runtime.http-info',
        type: 'log',
        useragent: 'me/1',
      });
    });

    test('as JSON; obfuscateURLs says what was called, omitHealthChecks leaves probes out', async (t) => {
      const spec =
        'logging: { apiLogging: { enabled: true, obfuscateURLs: true, omitHealthChecks: true } }';
      const { lines } = await callAll(t, { 'log-as-json': true }, spec);
      assert.deepEqual(
        lines.map(({ code, method }) => `${code} ${method}`),
        expected(make, NAMED),
      );
      const one = lines.find(({ method }) => method === 'GetState')!;
      assert.deepEqual(withoutOwn(one), {
        app_id: 'probe',
        code: 200,
        duration: one.duration,
        level: 'info',
        method: 'GetState',
        msg: 'HTTP API Called',
        scope: 'dapr.runtime.http-info',
        size: 1,
        type: 'log',
      });
    });

    test('the flag wins over the Configuration', async (t) => {
      const spec = 'logging: { apiLogging: { enabled: true } }';
      const { lines } = await callAll(t, { 'enable-api-logging': 'false' }, spec);
      assert.deepEqual(lines, []);
    });

    test('of gRPC by method and code, proxied ones too, and none for who has no token', async (t) => {
      const app = await startGrpcApp();
      const folder = await mkdtemp(path.join(os.tmpdir(), 'hf-'));
      const config = path.join(folder, 'config.yaml');
      const names = path.join(folder, 'names.db');
      await writeFile(
        config,
        configuration(
          `nameResolution: { component: sqlite, version: v1, configuration: { connectionString: ${JSON.stringify(names)} } }`,
        ),
      );
      const flags = {
        'app-port': app.port,
        'app-protocol': 'grpc',
        'enable-api-logging': true,
        'log-as-json': true,
        config,
      } as const;
      const sidecar = await startFlagged(executable, { flags, env: { DAPR_API_TOKEN: 'zz' } });
      t.after(async () => {
        await sidecar.stop();
        app.close();
        await rm(folder, { recursive: true });
      });
      const token = { 'dapr-api-token': 'zz' };
      const client = daprClient(sidecar.ports.grpc);
      const service = '/any.Service/Method';
      const refused = await client.getMetadata({}).catch((error: { code: number }) => error.code);
      await rawRpc(sidecar.ports.grpc, service, ['x'], { 'dapr-app-id': 'probe' });
      await client.getMetadata({}, { headers: token });
      await client.getState({ storeName: 'none', key: 'a' }, { headers: token }).catch(() => {});
      await rawRpc(sidecar.ports.grpc, service, ['x'], { 'dapr-app-id': 'probe', ...token });
      await rawRpc(sidecar.ports.grpc, service, ['x'], { ...token });
      await rawRpc(sidecar.ports.grpc, service, ['x'], {
        'dapr-app-id': 'probe',
        'x-mode': 'late',
        'user-agent': 'raw/1',
        ...token,
      });
      const rpcs = () => logged(sidecar.said()).filter(({ msg }) => msg === 'gRPC API Called');
      await until('all lines are there', () => rpcs().length >= 4);

      assert.equal(refused, 16);
      const dapr = '/dapr.proto.runtime.v1.Dapr';
      assert.deepEqual(
        rpcs().map(({ code, method }) => `${code} ${method}`),
        [`0 ${dapr}/GetMetadata`, `9 ${dapr}/GetState`, `0 ${service}`, `5 ${service}`],
      );
      const last = rpcs().at(-1)!;
      assert.deepEqual(withoutOwn(last), {
        app_id: 'probe',
        code: 5,
        duration: last.duration,
        level: 'info',
        method: service,
        msg: 'gRPC API Called',
        scope: 'dapr.runtime.grpc.api-info',
        type: 'log',
        useragent: 'raw/1',
      });
      const page = await (await fetch(`http://127.0.0.1:${sidecar.ports.metrics}/`)).text();
      const counted = page
        .split('\n')
        .filter((line) => line.startsWith('dapr_grpc_io_server_completed_rpcs{'))
        .map((line) => /method="([^"]*)".*status="([^"]*)"\} (\d+)/.exec(line)!.slice(1).join(' '));
      assert.deepEqual(counted.sort(), [
        `${service} NotFound 1`,
        `${service} OK 1`,
        `${dapr}/GetMetadata OK 1`,
        `${dapr}/GetState FailedPrecondition 1`,
      ]);
    });

    test('none for who is turned away before the API, for want of a token', async (t) => {
      const app = await startEchoApp();
      const flags = {
        'app-port': app.port,
        'enable-api-logging': true,
        'log-as-json': true,
      } as const;
      const sidecar = await startFlagged(executable, { flags, env: { DAPR_API_TOKEN: 'zz' } });
      t.after(() => Promise.all([sidecar.stop(), app.close()]));
      const { http } = sidecar.ports;
      await sendRaw(http, { path: '/v1.0/metadata' });
      await sendRaw(http, { path: '/v1.0/metadata', headers: ['dapr-api-token: zz'] });
      const called = () =>
        logged(sidecar.said()).filter(({ method }) => !/healthz/.test(`${method}`));
      await until('the line is there', () => called().length > 0);
      assert.deepEqual(
        called().map(({ code, method }) => `${code} ${method}`),
        ['200 GET /v1.0/metadata'],
      );
    });

    async function callAll(t: TestContext, flags: FlaggedSetup['flags'], spec = 'tracing: {}') {
      const app = await startEchoApp();
      const folder = await mkdtemp(path.join(os.tmpdir(), 'hf-'));
      const config = path.join(folder, 'config.yaml');
      await writeFile(config, configuration(spec));
      const sidecar = await startFlagged(executable, {
        flags: { 'app-port': app.port, config, ...flags },
        resources: { 'store.yaml': STORE },
      });
      t.after(async () => {
        await sidecar.stop();
        await app.close();
        await rm(folder, { recursive: true });
      });
      for (const call of CALLS) await sendRaw(sidecar.ports.http, call);
      await sidecar.exited;
      return { lines: logged(sidecar.said()) };
    }
  });
}

type Line = Readonly<Record<string, string | number>>;

/** The lines of calls, of either form. */
function logged(said: string): Line[] {
  return said
    .split('\n')
    .filter((line) => line.includes('API Called'))
    .map((line) => {
      if (line.startsWith('{')) return JSON.parse(line) as Line;
      const pairs = line.matchAll(/(\w+)=("(?:[^"\\]|\\.)*"|\S+)/g);
      return Object.fromEntries(
        [...pairs].map(([, key, value]) => [
          key!,
          value!.startsWith('"') ? JSON.parse(value!) : value!,
        ]),
      );
    });
}

/** Without what is each machine's and each version's own, and without our trace. */
function withoutOwn({ time, instance, ver, trace_id, span_id, ...line }: Line): object {
  assert.ok([time, instance, ver].every((value) => typeof value === 'string' && value !== ''));
  return line;
}

const configuration = (spec: string): string =>
  `apiVersion: dapr.io/v1alpha1\nkind: Configuration\nmetadata: { name: c }\nspec:\n  ${spec}\n`;

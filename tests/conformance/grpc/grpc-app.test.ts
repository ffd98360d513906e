import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { eventually, until } from '@holdfast/test-servers';
import { rawRpc } from '../../../packages/sidecar/src/testing/raw-rpc.ts';
import { RPC_COMPONENTS } from '../cases/grpc.ts';
import { bothMakes, type Make } from '../makes/both-makes.ts';
import type { Seen } from '../makes/echo-app.ts';
import { type GrpcApp, startGrpcApp } from '../makes/grpc-app.ts';
import { daprClient, outcome } from '../makes/grpc-client.ts';
import { type Mesh, startMesh } from '../makes/mesh.ts';

const POLICIES = `
apiVersion: dapr.io/v1alpha1
kind: Resiliency
metadata: { name: rpc }
spec:
  policies:
    retries: { thrice: { policy: constant, duration: 20ms, maxRetries: 2 } }
    timeouts: { quick: 300ms }
  targets:
    apps:
      spoken.retried: { retry: thrice }
`;

await bothMakes(conformance);

function conformance(make: Make, executable: string | undefined): void {
  describe(`${make}, an application over gRPC`, () => {
    let app: GrpcApp;
    let mesh: Mesh;
    before(async () => {
      app = await startGrpcApp();
      mesh = await startMesh(executable, {
        grpcAppPort: app.port,
        resources: {
          'rpc.yaml': RPC_COMPONENTS,
          'rpc-policies.yaml': POLICIES,
          'rpc-secrets.json': '{"a":"b"}',
        },
      });
    });
    after(async () => {
      await mesh?.stop();
      app.close();
    });
    const client = () => daprClient(mesh.grpcPort('caller'));
    const seen = (answer: { data?: { value: Uint8Array; typeUrl: string } | undefined }) => ({
      ...JSON.parse(Buffer.from(answer.data?.value ?? []).toString()),
      answered: answer.data?.typeUrl,
    });

    test('has more calls at a time than go over one connection', async () => {
      const message = { method: 'meet/150', httpExtension: { verb: 3 as const } };
      const answers = await Promise.all(
        Array.from({ length: 150 }, () => client().invokeService({ id: 'spoken', message })),
      );
      assert.equal(answers.length, 150);
    });

    test('is invoked by a client of the gRPC API', async () => {
      const message = {
        method: 'work/on',
        contentType: 'application/json',
        data: { typeUrl: 'type/mine', value: Buffer.from('{"a":1}') },
        httpExtension: { verb: 3 as const, querystring: 'q=1' },
      };
      const call = await outcome(
        async (o) =>
          seen(
            await client().invokeService(
              { id: 'spoken', message },
              { ...o, headers: { 'x-mine': '7', 'mine-bin': 'AAEC' } },
            ),
          ),
        ['x-app', 'x-trailer', 'dapr-http-status', 'head-bin', 'tail-bin'],
      );
      assert.deepEqual(call, {
        answer: {
          method: 'work/on',
          contentType: 'application/json',
          typeUrl: 'type/mine',
          body: '{"a":1}',
          verb: 3,
          querystring: 'q=1',
          mine: '7',
          caller: 'caller',
          bin: 'AAEC',
          answered: 'type/seen',
        },
        metadata: {
          'x-app': 'yes',
          'x-trailer': 'last',
          'dapr-http-status': null,
          'head-bin': 'AAH/',
          'tail-bin': '/wEA',
        },
      });
    });

    test('is invoked without a word of HTTP', async () => {
      const message = { method: 'bare', data: { value: Buffer.from('1') } };
      const { method, body, verb } = seen(await client().invokeService({ id: 'spoken', message }));
      assert.deepEqual([method, body, verb], ['bare', '1', undefined]);
    });

    test('has its error told as it is', async () => {
      const message = { method: 'missing', data: { value: Buffer.from('1') } };
      assert.deepEqual(
        await outcome((o) => client().invokeService({ id: 'spoken', message }, o), ['x-app']),
        { code: 5, message: 'no such thing', metadata: { 'x-app': 'yes' } },
      );
    });

    test('is invoked by a client of the HTTP API', async () => {
      const at = `http://127.0.0.1:${mesh.port('caller')}/v1.0/invoke/spoken/method`;
      const body = '{"b":2}';
      const headers = { 'content-type': 'application/json', 'x-mine': '8' };
      const answer = await fetch(`${at}/some%20thing?z=1`, { method: 'PUT', body, headers });
      const { method, contentType, verb, querystring, mine } = (await answer.json()) as Record<
        string,
        unknown
      >;
      const leaked = [...answer.headers.keys()].filter((name) => name.startsWith('holdfast-'));
      assert.deepEqual(
        [answer.status, answer.headers.get('x-app'), method, contentType, verb, querystring, mine],
        [200, 'yes', 'some thing', 'application/json', 4, 'z=1', '8'],
      );
      assert.deepEqual(leaked, []);
    });

    test('has its error shown to a client of the HTTP API as a status and JSON', async () => {
      const at = `http://127.0.0.1:${mesh.port('caller')}/v1.0/invoke/spoken/method/missing`;
      const answer = await fetch(at);
      assert.deepEqual(
        [answer.status, await answer.json()],
        [404, { code: 5, message: 'no such thing' }],
      );
    });

    test('gets its events, with the rule that took them', async () => {
      const bus = daprClient(mesh.grpcPort('spoken'));
      const event = { pubsubName: 'bus', data: Buffer.from('{"z":1}') };
      const json = 'application/json';
      await bus.publishEvent({ ...event, topic: 'plain', dataContentType: json });
      const metadata = { 'cloudevent.type': 'x' };
      await bus.publishEvent({ ...event, topic: 'routed', dataContentType: json, metadata });
      await bus.publishEvent({ ...event, topic: 'routed', dataContentType: 'text/plain' });
      await bus.publishEvent({ ...event, topic: 'raw', metadata: { rawPayload: 'true' } });
      await until('four events have come', () => count(app) >= 4);
      const shown = [...app.events.values()].flat().map(({ event: one }) => {
        const { data, dataContentType, path, pubsubName, source, topic, type } = one as Record<
          string,
          unknown
        >;
        const text = Buffer.from(data as Uint8Array).toString();
        return [topic, path, type, source, dataContentType, pubsubName, text].join(' ');
      });
      assert.deepEqual(shown.sort(), [
        'plain  com.dapr.event.sent spoken application/json bus {"z":1}',
        'raw  com.dapr.event.sent Dapr application/octet-stream bus {"z":1}',
        'routed /other com.dapr.event.sent spoken text/plain bus {"z":1}',
        'routed /x x spoken application/json bus {"z":1}',
      ]);
    });

    test('is told of the topic it subscribed to, whatever the event says', async () => {
      const bus = daprClient(mesh.grpcPort('spoken'));
      const event = { pubsubName: 'bus', data: Buffer.from('{"z":2}') };
      await bus.publishEvent({ ...event, topic: 'unwanted', dataContentType: 'application/json' });
      await bus.publishEvent({ ...event, topic: 'odd', metadata: { rawPayload: 'true' } });
      const told = async (topic: string) => {
        const all = () => app.events.get(topic) ?? [];
        await until('the event has come', () => all().length > 0);
        return all().map(({ event: one }) => {
          const { data, extensions } = one as { data: Uint8Array; extensions?: { topic?: string } };
          return [Buffer.from(data).toString(), extensions?.topic ?? null];
        });
      };
      assert.deepEqual(
        [await told('buried'), await told('odd')],
        [[['{"z":2}', 'unwanted']], [['', null]]],
      );
    });

    test('gets the data of an event from elsewhere as Go writes JSON', async () => {
      const url = `http://127.0.0.1:${mesh.port('spoken')}/v1.0/healthz`;
      await until('it has subscribed', async () => (await fetch(url)).ok);
      const bus = daprClient(mesh.grpcPort('spoken'));
      const told = async (data: string) => {
        const event = `{"id":"1","datacontenttype":"application/json","data":${data}}`;
        app.events.delete('elsewhere');
        await bus.publishEvent({
          pubsubName: 'bus',
          topic: 'elsewhere',
          data: Buffer.from(event),
          metadata: { rawPayload: 'true' },
        });
        await until(`${data} arrives`, () => app.events.has('elsewhere'));
        const [got] = app.events
          .get('elsewhere')!
          .map(({ event: one }) => one as { data: Uint8Array });
        return Buffer.from(got!.data).toString();
      };
      const texts = ['{"b":"<","a":[1.0,2e3]}', '"<&>"', 'null', '0.00001', 'true'];
      const got: string[] = [];
      for (const text of texts) got.push(await told(text));
      assert.deepEqual(got, [
        '{"a":[1,2000],"b":"\\u003c"}',
        '"\\u003c\\u0026\\u003e"',
        '',
        '0.00001',
        'true',
      ]);
    });

    test('has paths that are names, and no events that its rules do not take', async () => {
      const bus = daprClient(mesh.grpcPort('spoken'));
      const event = { pubsubName: 'bus', topic: 'ruled', data: Buffer.from('1') };
      await bus.publishEvent(event);
      await bus.publishEvent({ ...event, metadata: { 'cloudevent.type': 'x' } });
      const all = () => app.events.get('ruled') ?? [];
      await until('the event has come', () => all().length > 0);
      const paths = all().map(({ event: one }) => (one as { path: string }).path);
      assert.deepEqual(paths, ['by_name']);
    });

    test('takes bulks under the name that they had first', async () => {
      const bus = daprClient(mesh.grpcPort('spoken'));
      const event = { pubsubName: 'bus', topic: 'bulk', dataContentType: 'application/json' };
      for (const data of ['1', '2']) await bus.publishEvent({ ...event, data: Buffer.from(data) });
      const all = () => app.events.get('bulk') ?? [];
      await until('both events have come', () => all().length >= 2);
      const data = all().map(({ event: one }) => {
        const { event: inner } = one as { event: { value: { data: Uint8Array } } };
        return Buffer.from(inner.value.data).toString();
      });
      assert.deepEqual(data.sort(), ['1', '2']);
    });

    test('metadata that are bytes are not for an application over HTTP', async () => {
      const message = { method: 'm', httpExtension: { verb: 1 as const } };
      const headers = { 'mine-bin': 'AAEC', 'x-mine': '1' };
      const answer = await client().invokeService({ id: 'callee', message }, { headers });
      const { headers: got } = JSON.parse(Buffer.from(answer.data!.value).toString()) as Seen;
      const theirs = Object.keys(got).filter((name) => /-bin$|^holdfast-/.test(name));
      assert.deepEqual([got['x-mine'], theirs], ['1', []]);
    });

    test('is counted, and so are calls of the API: status by Go’s names, bytes by method', async () => {
      const message = { method: 'missing', data: { value: Buffer.from('1') } };
      await outcome((o) => client().invokeService({ id: 'spoken', message }, o));
      const method = 'grpc_server_method="/dapr.proto.runtime.v1.Dapr/InvokeService"';
      const callback = 'grpc_client_method="/dapr.proto.runtime.v1.AppCallback/OnInvoke"';
      const caller = `dapr_grpc_io_server_completed_rpcs{app_id="caller",${method},grpc_server_status="NotFound"}`;
      const wanted = [
        ['caller', caller],
        ['caller', `dapr_grpc_io_server_received_bytes_per_rpc_sum{app_id="caller",${method}}`],
        ['caller', `dapr_grpc_io_server_sent_bytes_per_rpc_count{app_id="caller",${method}}`],
        [
          'caller',
          `dapr_grpc_io_server_sent_bytes_per_rpc_bucket{app_id="caller",${method},le="1024"}`,
        ],
        [
          'spoken',
          `dapr_grpc_io_client_completed_rpcs{app_id="spoken",${callback},grpc_client_status="NotFound"}`,
        ],
        [
          'spoken',
          `dapr_grpc_io_client_roundtrip_latency_count{app_id="spoken",${callback},grpc_client_status="NotFound"}`,
        ],
        ['spoken', `dapr_grpc_io_client_sent_bytes_per_rpc_sum{app_id="spoken",${callback}}`],
        ['spoken', `dapr_grpc_io_client_received_bytes_per_rpc_count{app_id="spoken",${callback}}`],
      ] as const;
      const missing = async () => {
        const pages = {
          caller: await page(mesh.metricsPort('caller')),
          spoken: await page(mesh.metricsPort('spoken')),
        };
        return wanted.flatMap(([role, series]) => (pages[role].includes(series) ? [] : [series]));
      };
      // daprd counts a moment after it has answered.
      await eventually(missing, (series) => series.length === 0, 'these are counted');
    });

    const proxied = (
      headers: Record<string, string>,
      messages: readonly string[] = ['hello'],
      path = '/any.Service/Method',
    ) => rawRpc(mesh.grpcPort('caller'), path, messages, headers);

    test('any service of it is called through', async () => {
      const { head, messages, status, trailers } = await proxied({
        'dapr-app-id': 'spoken',
        'x-mine': '9',
        'mine-bin': 'AAEC',
      });
      assert.deepEqual(
        [messages, status, head['x-head'], JSON.parse(String(trailers['x-seen']))],
        [['hello'], '0', 'first', { caller: 'caller', callee: 'spoken', mine: '9', bin: 'AAEC' }],
      );
      assert.deepEqual([head['head-bin'], trailers['tail-bin']], ['AAH/', '/wEA']);
    });

    test('streams pass both ways', async () => {
      const headers = { 'dapr-app-id': 'spoken', 'dapr-stream': 'true', 'x-mode': 'stream' };
      const many = Array.from({ length: 200 }, (_, n) => `${n}`.padStart(500, '.'));
      const { messages, status } = await proxied(headers, many);
      assert.deepEqual([messages, status], [many, '0']);
    });

    test('an error after the messages comes after them', async () => {
      const { message, messages, status } = await proxied({
        'dapr-app-id': 'spoken',
        'x-mode': 'late',
      });
      assert.deepEqual([messages, status, message], [['hello'], '5', 'gone']);
    });

    test('a call that fails is tried again as the policies say', async () => {
      const headers = { 'dapr-app-id': 'spoken.retried', 'x-mode': 'fail-2' };
      const path = '/any.Service/Retried';
      const { messages, status } = await proxied(headers, ['once'], path);
      assert.deepEqual([messages, status, app.calls.get(path)], [['once'], '0', 3]);
    });

    test('the last error of a call that is tried again is its error', async () => {
      const headers = { 'dapr-app-id': 'spoken.retried', 'x-mode': 'fail-9' };
      const path = '/any.Service/Hopeless';
      const { message, status } = await proxied(headers, ['once'], path);
      assert.deepEqual([status, message, app.calls.get(path)], ['14', 'not yet', 3]);
    });

    test('a second message where calls are tried again is refused', async () => {
      const { message, status } = await proxied({ 'dapr-app-id': 'spoken.retried' }, ['1', '2']);
      assert.deepEqual(
        [status, message],
        ['9', 'cannot use resiliency policies with retries on streaming RPCs'],
      );
    });

    test('an app that nobody knows', async () => {
      const { message, status } = await proxied({ 'dapr-app-id': 'nobody' });
      assert.deepEqual([status, message], ['2', 'no host found with the given ID']);
    });

    test('no app', async () => {
      const { message, status } = await proxied({});
      assert.deepEqual(
        [status, message],
        ['2', 'cannot proxy request: missing dapr-callee-app-id or dapr-app-id metadata'],
      );
    });

    test('a method that Dapr does not have', async () => {
      const path = '/dapr.proto.runtime.v1.Dapr/Nothing';
      const { message, status } = await proxied({}, [''], path);
      assert.deepEqual(
        [status, message],
        [
          '2',
          'failed to proxy request: required metadata dapr-callee-app-id or dapr-app-id not found',
        ],
      );
    });
  });
}

const page = async (port: number): Promise<string> =>
  (await fetch(`http://127.0.0.1:${port}/metrics`)).text();

const count = ({ events }: GrpcApp): number => [...events.values()].flat().length;

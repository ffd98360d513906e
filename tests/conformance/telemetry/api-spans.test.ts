import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { until } from '@holdfast/test-servers';
import { rawRpc } from '../../../packages/sidecar/src/testing/raw-rpc.ts';
import { bothMakes, type Make } from '../makes/both-makes.ts';
import { componentYaml } from '../makes/component-yaml.ts';
import { type GrpcApp, startGrpcApp } from '../makes/grpc-app.ts';
import { type DaprClient, daprClient } from '../makes/grpc-client.ts';
import { type Mesh, startMesh } from '../makes/mesh.ts';
import { type SpanCollector, startCollector, type ZipkinSpan } from '../makes/span-collector.ts';

const RESOURCES = {
  'store.yaml': componentYaml('store', 'state.in-memory'),
  'bus.yaml': componentYaml('bus', 'pubsub.in-memory'),
  'env.yaml': componentYaml('env', 'secretstores.local.env'),
  'files.yaml': componentYaml('files', 'bindings.localstorage', { rootPath: '$FOLDER/files' }),
};

const DAPR = '/dapr.proto.runtime.v1.Dapr';
const rpc = (method: string) => ({ 'dapr.protocol': 'grpc', 'dapr.api': `${DAPR}/${method}` });
const stored = (method: string, system: string, name: string) => ({
  ...{ ...rpc(method), 'rpc.service': 'Dapr', 'db.system': system, 'db.name': name },
  ...{ 'db.statement': `${DAPR}/${method}`, 'db.connection_string': system },
});
const published = (method: string) => ({
  ...{ ...rpc(method), 'rpc.service': 'Dapr' },
  ...{ 'messaging.system': 'pubsub', 'messaging.destination.name': 't' },
});

/** Calls over gRPC, and what the span of each says. */
const RPCS: readonly (readonly [
  call: (client: DaprClient) => Promise<unknown>,
  name: string,
  tags: Readonly<Record<string, string>>,
])[] = [
  [
    (c) =>
      c.saveState(
        { storeName: 'store', states: [{ key: 'a' }] },
        { headers: { 'dapr-foo': 'bar' } },
      ),
    `${DAPR}/SaveState`,
    { ...stored('SaveState', 'state', 'store'), 'dapr-foo': 'bar' },
  ],
  [
    (c) => c.getState({ storeName: 'none', key: 'a' }).catch(() => {}),
    `${DAPR}/GetState`,
    { ...stored('GetState', 'state', 'none'), error: 'state store none is not found' },
  ],
  [
    (c) => c.getBulkState({ storeName: 'store', keys: ['a'] }),
    `${DAPR}/GetBulkState`,
    rpc('GetBulkState'),
  ],
  [
    (c) => c.deleteState({ storeName: 'store', key: 'a' }),
    `${DAPR}/DeleteState`,
    stored('DeleteState', 'state', 'store'),
  ],
  [
    (c) => c.publishEvent({ pubsubName: 'bus', topic: 't' }),
    `${DAPR}/PublishEvent`,
    published('PublishEvent'),
  ],
  [
    (c) => c.getSecret({ storeName: 'env', key: 'PATH' }),
    `${DAPR}/GetSecret`,
    stored('GetSecret', 'secrets', 'env'),
  ],
  [
    (c) => c.invokeBinding({ name: 'files', operation: 'list' }).catch(() => {}),
    `${DAPR}/InvokeBinding`,
    stored('InvokeBinding', 'bindings', 'files'),
  ],
  [(c) => c.getMetadata({}), `${DAPR}/GetMetadata`, rpc('GetMetadata')],
  [
    (c) =>
      c.invokeService({ id: 'callee', message: { method: 'x/y', httpExtension: { verb: 1 } } }),
    'CallLocal/callee/x/y',
    { ...rpc('InvokeService'), 'rpc.service': 'ServiceInvocation', 'net.peer.name': 'callee' },
  ],
];

await bothMakes(apiSpans);

function apiSpans(make: Make, executable: string | undefined): void {
  // Side by side, as each waits for a batch of spans, which leaves every five seconds.
  describe(`${make} sends spans of calls of its API`, { concurrency: 4 }, () => {
    let app: GrpcApp;
    let collector: SpanCollector;
    let mesh: Mesh;
    before(async () => {
      app = await startGrpcApp();
      collector = await startCollector();
      mesh = await startMesh(executable, {
        tracing: `samplingRate: "1", zipkin: { endpointAddress: "${collector.url}" }`,
        grpcAppPort: app.port,
        resources: RESOURCES,
      });
    });
    after(async () => {
      await mesh.stop();
      collector.close();
      app.close();
    });
    const named = async (name: string, wanted = 1): Promise<readonly ZipkinSpan[]> => {
      // Zipkin's clients in Go write names in lower case.
      const found = () =>
        collector.spans().filter((span) => span.name.toLowerCase() === name.toLowerCase());
      await until(
        () => `${wanted} spans ${name}, of ${collector.spans().map((span) => span.name)}`,
        () => found().length >= wanted,
      );
      return found();
    };

    test('over gRPC: as a client, with what it is about', async () => {
      const client = daprClient(mesh.grpcPort('caller'));
      for (const [call] of RPCS) await call(client);
      for (const [, name, tags] of RPCS) {
        const span = (await named(name)).find(({ kind }) => kind === 'CLIENT');
        const shown = Object.keys(tags).map((tag) => [tag, span?.tags[tag]]);
        assert.deepEqual(Object.fromEntries(shown), tags, name);
      }
    });

    test('gRPC that is passed through: by its own name on both sides, with metadata that begin with dapr-', async () => {
      const headers = { 'dapr-app-id': 'spoken', 'dapr-foo': 'bar' };
      await rawRpc(mesh.grpcPort('caller'), '/any.Service/M', ['hello'], headers);
      const spans = await named('/any.Service/M', 2);
      assert.deepEqual(
        spans
          .map(({ kind, localEndpoint, tags }) => [
            localEndpoint.serviceName,
            kind,
            tags['dapr-foo'],
          ])
          .sort(),
        [
          ['caller', 'CLIENT', 'bar'],
          ['spoken', 'SERVER', 'bar'],
        ],
      );
    });

    test('a bulk: one for each event, inside that of the call', async () => {
      const entries = ['1', '2'].map((entryId) => ({
        entryId,
        event: entryId,
        contentType: 'text/plain',
      }));
      const path = '/v1.0/publish/bulk/bus/t';
      const answer = await fetch(`http://127.0.0.1:${mesh.port('caller')}${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(entries),
      });
      assert.equal(answer.status, 204);
      const own = entries.map(({ entryId, contentType }) => ({ entryId, contentType }));
      await daprClient(mesh.grpcPort('caller')).bulkPublishEvent({
        pubsubName: 'bus',
        topic: 't',
        entries: own,
      });

      for (const [call, event] of [
        [path, path],
        [`${DAPR}/BulkPublishEvent`, `${DAPR}/BulkPublishEvent/`],
      ] as const) {
        const spans = await named(event, event === path ? 3 : 2);
        const [parent] = (await named(call)).filter(({ kind }) => kind === 'CLIENT');
        const events = spans.filter(({ kind }) => kind === 'PRODUCER');
        assert.deepEqual(
          events.map(({ parentId }) => parentId),
          [parent!.id, parent!.id],
        );
      }
    });
  });
}

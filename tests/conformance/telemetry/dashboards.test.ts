import assert from 'node:assert/strict';
import { after, before, describe, type TestContext, test } from 'node:test';
import { type PrometheusServer, prometheusServer, until, withServer } from '@holdfast/test-servers';
import { PANELS, type Panel } from '../cases/dashboard-panels.ts';
import { type AppMesh, startAppMesh } from '../makes/app-mesh.ts';
import { bothMakes, type Make } from '../makes/both-makes.ts';
import { componentYaml } from '../makes/component-yaml.ts';
import { type GrpcApp, startGrpcApp } from '../makes/grpc-app.ts';
import { daprClient } from '../makes/grpc-client.ts';
import { type Sentry, startSentry } from '../makes/sentry.ts';

const RESOURCES = {
  'bus.yaml': componentYaml('bus', 'pubsub.in-memory'),
  'store.yaml': componentYaml('store', 'state.in-memory'),
  'odd.yaml': componentYaml('odd', 'state.odd').replace('spec: {', 'spec: { ignoreErrors: true,'),
};

const ASKED = { namespace: 'shop', dapr_app_id: 'caller|spoken' };

await bothMakes(dashboards);

/** What a panel of Dapr's dashboard shows when a real Prometheus has scraped the sidecars. */
function dashboards(make: Make, executable: string | undefined): void {
  describe(`${make} on Dapr's own dashboard`, () => {
    let grpcApp: GrpcApp;
    let sentry: Sentry;
    let mesh: AppMesh<'caller' | 'spoken'>;
    before(async () => {
      grpcApp = await startGrpcApp();
      sentry = await startSentry();
      const spoken = { appPort: grpcApp.port, resources: RESOURCES };
      mesh = await startAppMesh(executable, { caller: { resources: RESOURCES }, spoken }, sentry);
      await Promise.all([mesh.healthy('caller'), mesh.healthy('spoken')]);
    });
    after(async () => {
      await mesh.stop();
      await sentry.stop();
      grpcApp.close();
    });

    test('every panel shows what it is for', async (t) => {
      const prometheus = await scraping(t, mesh);
      if (prometheus === undefined) return;
      await use(mesh, grpcApp);

      const shown = await Promise.all(
        PANELS.map(async (panel) => [panel, await lines(prometheus, panel)] as const),
      );
      const empty = shown.filter(([, found]) => found.length === 0);
      assert.deepEqual(
        empty.map(([{ title }]) => title),
        PANELS.filter(
          ({ only, title }) => NEVER.has(title) || (only !== undefined && only.make !== make),
        ).map(({ title }) => title),
      );
      assert.deepEqual(
        Object.fromEntries(
          shown.flatMap(([{ title }, found]) => (title in SHOWN ? [[title, found]] : [])),
        ),
        SHOWN,
      );
    });
  });
}

/** Failures that did not happen. */
const NEVER = new Set([
  'mTLS initialization errors',
  'Workload certificate rotation status',
  'Certificate rotation error reasons',
]);

const HTTP_IN = ['caller GET /dapr/config', 'caller GET /dapr/subscribe', 'caller GET /orders'];
const HTTP_OUT = [
  'caller GET /v1.0/healthz',
  'caller GET /v1.0/invoke/caller/method/orders',
  'caller POST /v1.0/state/store',
  'spoken GET /v1.0/healthz',
  'spoken POST /v1.0/publish/bus/plain',
];
const CALLBACK = 'spoken /dapr.proto.runtime.v1.AppCallback';

/** By what their lines are told apart. */
const SHOWN: Readonly<Record<string, readonly string[]>> = {
  'HTTP: outbound request latency': HTTP_OUT,
  'HTTP: outbound request rate': HTTP_OUT,
  'HTTP: inbound request latency': HTTP_IN,
  'HTTP: inbound request rate': HTTP_IN,
  'gRPC: outbound request latency': ['caller /dapr.proto.runtime.v1.Dapr/GetState'],
  'gRPC: outbound request rate': ['caller /dapr.proto.runtime.v1.Dapr/GetState OK'],
  'gRPC: inbound request latency': [
    `${CALLBACK}/ListTopicSubscriptions`,
    `${CALLBACK}/OnTopicEvent`,
  ],
  'gRPC: inbound request rate': [
    `${CALLBACK}/ListTopicSubscriptions OK`,
    `${CALLBACK}/OnTopicEvent OK`,
  ],
  'Loaded component configurations': ['caller', 'spoken'],
  'Initialized components': ['caller', 'spoken'],
};

async function scraping(
  t: TestContext,
  mesh: AppMesh<'caller' | 'spoken'>,
): Promise<PrometheusServer | undefined> {
  const targets = (['caller', 'spoken'] as const).map(
    (role) => `127.0.0.1:${mesh.metricsPort(role)}`,
  );
  // What a cluster's Prometheus adds.
  const labels = { namespace: ASKED.namespace, service: 'caller-dapr' };
  return await withServer(t, () => prometheusServer(targets, labels));
}

/** Calls of every kind that a panel counts. */
async function use(mesh: AppMesh<'caller' | 'spoken'>, app: GrpcApp): Promise<void> {
  const url = `http://127.0.0.1:${mesh.port('caller')}/v1.0`;
  const json = { 'content-type': 'application/json' };
  await fetch(`${url}/invoke/caller/method/orders`);
  await fetch(`${url}/state/store`, { method: 'POST', headers: json, body: '[{"key":"a"}]' });
  await daprClient(mesh.grpcPort('caller')).getState({ storeName: 'store', key: 'a' });
  await fetch(`http://127.0.0.1:${mesh.port('spoken')}/v1.0/publish/bus/plain`, {
    method: 'POST',
    headers: json,
    body: '1',
  });
  await until('the event is there', () => app.events.has('plain'));
}

/** The labels of each line of a panel, when there are two scrapes to take a rate of. */
async function lines({ url }: PrometheusServer, { query }: Panel): Promise<readonly string[]> {
  const asked = Object.entries(ASKED).reduce(
    (text, [name, value]) => text.replaceAll(`$${name}`, value),
    query,
  );
  await until('it was scraped twice', async () => (await ask(url, TWICE)).length === 2);
  const found = await ask(url, asked);
  return found.map(({ metric }) => Object.values(metric).join(' ')).sort();
}

/** The last thing counted at each, once two scrapes have it. */
const TWICE = [
  'dapr_grpc_io_server_completed_rpcs{grpc_server_method=~".*GetState"}',
  'dapr_grpc_io_client_completed_rpcs{grpc_client_method=~".*OnTopicEvent"}',
]
  .map((series) => `count_over_time(${series}[5m]) > 1`)
  .join(' or ');

async function ask(url: string, query: string): Promise<readonly { metric: object }[]> {
  const answer = await fetch(`${url}/api/v1/query?query=${encodeURIComponent(query)}`);
  const { data, error } = (await answer.json()) as {
    readonly data?: { readonly result: readonly { metric: object }[] };
    readonly error?: string;
  };
  if (data === undefined) throw new Error(`${query}: ${error}`);
  return data.result;
}

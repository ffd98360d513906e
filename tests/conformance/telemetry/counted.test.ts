import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { until } from '@holdfast/test-servers';
import { type AppMesh, type AppSetup, startAppMesh } from '../makes/app-mesh.ts';
import { bothMakes, type Make } from '../makes/both-makes.ts';
import { startEchoApp } from '../makes/echo-app.ts';
import { startFlagged } from '../makes/flagged.ts';

const APPS = {
  few: {
    spec: `metrics:
  latencyDistributionBuckets: [5, 50]
  http: { increasedCardinality: false, pathMatching: ["/orders/{id}", "/v1.0/state/none/{key}"] }`,
  },
  plain: {},
  folders: {
    spec: 'metrics: { http: { pathMatching: ["/orders/", "/items/{id}/", "/v1.0/state/none/key"] } }',
  },
  verbless: {
    spec: 'metrics: { http: { pathMatching: ["/v1.0/invoke/verbless/method/orders/{id}"], excludeVerbs: true } }',
  },
  ruled: {
    spec: `metrics:
  rules:
  - name: dapr_http_server_request_count
    labels:
    - name: path
      regex: { "/orders/ID": "/orders/[[:digit:]]+", "SELF": "invoke/(?P<app>ruled)" }
    - { name: status, regex: { "2xx": "^2.." } }
  - name: http_client_completed_count
    labels: [{ name: path, regex: { "X": "/orders/.+$" } }]
  - name: dapr_http_server_latency_bucket
    labels: [{ name: path, regex: { "no": "o" } }]
  - name: dapr_http_server_latency
    labels: [{ name: app_id, regex: { "me": "^r.*" } }]
  - name: nothing_of_this_name
    labels: [{ name: path, regex: { "a": "b" } }]`,
  },
  misruled: {
    spec: 'metrics: { rules: [{ name: dapr_http_client_completed_count, labels: [{ name: path, regex: { "a": "(open" } }] }] }',
  },
} as const satisfies Record<string, AppSetup>;

const component = (name: string, type: string): string =>
  `apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata: { name: ${name} }\nspec: { type: ${type}, version: v1, ignoreErrors: true, metadata: [] }\n---\n`;

const failed = (type: string, name: string, reason: string): string =>
  `dapr_runtime_component_init_fail_total{app_id="probe",component="${type}",componentName="${name}",reason="${reason}"}`;

await bothMakes(counted);

/** What `spec.metrics` says of the metrics of HTTP. */
function counted(make: Make, executable: string | undefined): void {
  describe(`${make}, how HTTP is counted`, () => {
    let mesh: AppMesh<keyof typeof APPS>;
    before(async () => {
      mesh = await startAppMesh(executable, APPS);
    });
    after(() => mesh.stop());

    test('without paths only those that match a pattern are told apart, with their own buckets', async () => {
      await ask('few', ['orders/7', 'orders/8', 'lists/9', '/orders//9']);
      await fetch(`http://127.0.0.1:${mesh.port('few')}/v1.0/state/none/1`);
      const page = await scrape('few');
      assert.deepEqual(series(page, 'dapr_http_server_request_count', /status="[245]00"/), [
        'method=GET path= status=200 1',
        'method=GET path=/v1.0/invoke/{app_id}/method/orders/{id} status=200 3',
        'method=GET path=/v1.0/state/none/{key} status=500 1',
      ]);
      assert.deepEqual(series(page, 'dapr_http_client_completed_count'), [
        'method=GET path= status=200 1',
        'method=GET path=/orders/{id} status=200 3',
      ]);
      assert.deepEqual(series(page, 'dapr_http_server_response_count'), []);
      const bounds = [...page.matchAll(/^dapr_http_server_latency_bucket\{.*le="([^"]+)"/gm)];
      assert.deepEqual([...new Set(bounds.map((match) => match[1]))], ['5', '50', '+Inf']);
    });

    test('ids and keys have one name, of the application’s own paths too', async () => {
      await ask('plain', ['a/state/x/y', 'v1/secrets/a/b/c', 'actors/T/1/method/m']);
      const get = (path: string, method = 'GET') =>
        fetch(`http://127.0.0.1:${mesh.port('plain')}${path}`, { method });
      for (const path of ['//v1.0//state/none/k', '/v1.0/secrets/none/k', '/v1.0/actors/T/1/m/n']) {
        await get(path);
      }
      for (const path of ['c/id', 'c/n/start', 'c/id/pause', 'c/id/raiseEvent/e']) {
        await get(`/v1.0/workflows/${path}`, 'POST');
      }
      await get('/v1.0/metadata/extra', 'PUT');
      const page = await scrape('plain');
      const client = [
        ...page.matchAll(/^dapr_http_client_roundtrip_latency_count.*path="([^"]*)"/gm),
      ];
      assert.deepEqual(
        client.map(([, path]) => path).filter((path) => /state|secrets|actors/.test(path ?? '')),
        ['/a/state/x', '/v1/secrets/a', 'actors/T/{id}/method/m'],
      );
      const paths = [...page.matchAll(/^dapr_http_server_response_count.*path="([^"]*)"/gm)]
        .map(([, path = '']) => path)
        .filter((path) => /none|v1.0\/actors|workflows|metadata\//.test(path));
      assert.deepEqual(paths.sort(), [
        '/v1.0/actors/T/{id}/m',
        '/v1.0/metadata/extra',
        '/v1.0/secrets/none',
        '/v1.0/state/none',
        '/v1.0/workflows/c/n/start',
        '/v1.0/workflows/c/{instanceId}',
        '/v1.0/workflows/c/{instanceId}/pause',
        '/v1.0/workflows/c/{instanceId}/raiseEvent/{eventName}',
      ]);
    });

    test('a pattern for a folder is for the folder itself, and none tells the keys of a store apart', async () => {
      await ask('folders', ['orders', 'orders/7', 'items/3', 'lists']);
      await fetch(`http://127.0.0.1:${mesh.port('folders')}/v1.0/state/none/key`);
      const invoked = '/v1.0/invoke/{app_id}/method';
      assert.deepEqual(
        series(await scrape('folders'), 'dapr_http_server_request_count', /status="[25]00"/),
        [
          'method=GET path=/v1.0/invoke/folders/method/lists status=200 1',
          `method=GET path=${invoked}/items/{id}/ status=200 1`,
          `method=GET path=${invoked}/orders/ status=200 2`,
          'method=GET path=/v1.0/state/none status=500 1',
        ],
      );
    });

    test('with paths, patterns have names, and verbs may be left out', async () => {
      await ask('verbless', ['orders/7', 'orders/8', 'lists/9']);
      assert.deepEqual(series(await scrape('verbless'), 'dapr_http_server_request_count'), [
        'method= path=/v1.0/invoke/verbless/method/lists/9 status=200 1',
        'method= path=/v1.0/invoke/verbless/method/orders/{id} status=200 2',
      ]);
    });

    test('rules rewrite labels of the metric they name, and of no other', async () => {
      await ask('ruled', ['orders/7', 'orders/8', 'lists/9']);
      const page = await scrape('ruled');
      const of = (name: string) => series(page, name, /status="2/);
      const invoked = '/v1.0/invoke/ruled/method';
      assert.deepEqual(of('dapr_http_server_request_count'), [
        'method=GET path=/v1.0/SELF/method/lists/9 status=2xx 1',
        'method=GET path=/v1.0/SELF/method/orders/ID status=2xx 2',
      ]);
      assert.deepEqual(of('dapr_http_server_response_count'), [
        `method=GET path=${invoked}/lists/9 status=200 1`,
        `method=GET path=${invoked}/orders/7 status=200 1`,
        `method=GET path=${invoked}/orders/8 status=200 1`,
      ]);
      assert.deepEqual(of('dapr_http_client_completed_count'), [
        'method=GET path=/lists/9 status=200 1',
        'method=GET path=X status=200 2',
      ]);
      assert.match(page, /^dapr_http_server_latency_count\{app_id="me",.*path="\/v1.0\/invoke/m);
      assert.match(page, /^dapr_http_server_request_count\{app_id="ruled"/m);
    });

    test('a rule that is no expression leaves the rest of the metrics as they are', async () => {
      await ask('misruled', ['orders/7']);
      assert.deepEqual(series(await scrape('misruled'), 'dapr_http_client_completed_count'), [
        'method=GET path=/orders/7 status=200 1',
      ]);
    });

    async function ask(app: keyof typeof APPS, paths: readonly string[]): Promise<void> {
      for (const path of paths) {
        const url = `http://127.0.0.1:${mesh.port(app)}/v1.0/invoke/${app}/method/${path}`;
        const answer = await fetch(url);
        assert.equal(answer.status, 200, await answer.text());
      }
    }

    const scrape = async (app: keyof typeof APPS): Promise<string> =>
      (await fetch(`http://127.0.0.1:${mesh.metricsPort(app)}/`)).text();
  });

  describe(`${make}, what the sidecar has and how its application is`, () => {
    test('components that are up by type, probes by status, and who it is for components to read', async (t) => {
      const app = await startEchoApp();
      const flags = {
        'app-port': app.port,
        'enable-app-health-check': true,
        'app-health-check-path': '/well',
        'app-health-probe-interval': 1,
      } as const;
      const components = ['one', 'two'].map((name) => component(name, 'state.in-memory'));
      const resources = {
        'all.yaml': `${components.join('')}${component('env', 'secretstores.local.env')}`,
        'bad.yaml': `${component('rootless', 'bindings.localstorage')}${component('odd', 'state.nothing')}`,
      };
      const sidecar = await startFlagged(executable, { flags, resources });
      t.after(async () => {
        await sidecar.stop();
        await app.close();
      });
      const at = `http://127.0.0.1:${sidecar.ports.http}/v1.0/secrets/env`;
      const read = async (name: string) =>
        ((await (await fetch(`${at}/${name}`)).json()) as Record<string, string>)[name];
      const own = [await read('APP_ID'), await read('APP_PORT'), await read('HOST_ADDRESS')];
      const page = async () => (await fetch(`http://127.0.0.1:${sidecar.ports.metrics}/`)).text();
      const probes = 'dapr_http_healthprobes_completed_count{app_id="probe",status=';
      await until('a probe is counted', async () => (await page()).includes(`${probes}"200"}`));
      await app.close();
      await until('a failed one, too', async () => (await page()).includes(`${probes}"500"}`));
      const lines = (await page())
        .split('\n')
        .filter((line) => line.startsWith('dapr_runtime_component'));

      assert.deepEqual(own, ['probe', String(app.port), '127.0.0.1']);
      // How often is another matter: daprd counts a failure twice.
      const shown = lines.map((line) => line.replace(/(fail_total.*) \d$/, '$1'));
      const twice = make === 'daprd' ? [failed('state.nothing', 'odd', 'init')] : [];
      assert.deepEqual(shown.sort(), [
        failed('bindings.localstorage', 'rootless', 'init'),
        failed('state.nothing', 'odd', 'creation'),
        ...twice,
        'dapr_runtime_component_init_total{app_id="probe",component="secretstores.local.env"} 1',
        'dapr_runtime_component_init_total{app_id="probe",component="state.in-memory"} 2',
        'dapr_runtime_component_loaded{app_id="probe"} 3',
      ]);
      assert.match(
        await page(),
        /^dapr_http_healthprobes_roundtrip_latency_count\{app_id="probe",status="200"\} [1-9]/m,
      );
    });
  });
}

/** Of those that were answered 200, sorted; health checks of the test, and what daprd asks by itself, are others. */
function series(page: string, name: string, status = /status="200/): string[] {
  const lines = [...page.matchAll(new RegExp(`^${name}\\{(.*)\\} (\\d+)$`, 'gm'))];
  return (
    lines
      .filter(([, labels = '']) => status.test(labels))
      .map(([, labels = '', value]) => {
        const of = (label: string) => new RegExp(`${label}="([^"]*)"`).exec(labels)?.[1] ?? '';
        return `method=${of('method')} path=${of('path')} status=${of('status')} ${value}`;
      })
      // Whether it is ready is asked until it is, and counted where no path tells it apart.
      .filter((line) => !/\/dapr\/|healthz|metadata|path= status=500/.test(line))
      .sort()
  );
}

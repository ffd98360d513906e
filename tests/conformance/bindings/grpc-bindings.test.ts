import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Code, ConnectError } from '@connectrpc/connect';
import { until } from '@holdfast/test-servers';
import { bothMakes, type Make } from '../makes/both-makes.ts';
import { componentYaml } from '../makes/component-yaml.ts';
import { type GrpcApp, startGrpcApp } from '../makes/grpc-app.ts';
import { type Mesh, startMesh } from '../makes/mesh.ts';
import { type SpanCollector, startCollector } from '../makes/span-collector.ts';

const component = (name: string, type: string, metadata: Readonly<Record<string, string>>) =>
  componentYaml(name, type, metadata, { scopes: ['spoken'] });
const tick = (name: string, more = {}) =>
  component(name, 'bindings.cron', { schedule: '@every 1s', ...more });
const files = (name: string) =>
  component(name, 'bindings.localstorage', { rootPath: `$FOLDER/${name}` });

const RESOURCES = [
  tick('plain'),
  tick('routed', { route: '/some/where' }),
  tick('unlisted'),
  tick('unlisted-input', { direction: 'input' }),
  tick('failing'),
  tick('retried'),
  tick('toBoth'),
  tick('toNone'),
  tick('toSides'),
  tick('notJson'),
  files('one'),
  files('two'),
  files('bytes'),
].join('---');

const POLICIES = `
apiVersion: dapr.io/v1alpha1
kind: Resiliency
metadata: { name: bindings }
spec:
  policies: { retries: { twice: { policy: constant, duration: 20ms, maxRetries: 2 } } }
  targets: { components: { retried: { inbound: { retry: twice } } } }
`;

const json = Buffer.from('{"b": 2,  "a": "x"}');
const once = (nth: number, answer: object) => (nth === 1 ? answer : {});
const fail = (): never => {
  throw new ConnectError('not now', Code.Unavailable);
};

await bothMakes(conformance);

/** `OnBindingEvent` and `ListInputBindings` of an application over gRPC. */
function conformance(make: Make, executable: string | undefined): void {
  describe(`${make}, input bindings of an application over gRPC`, () => {
    let app: GrpcApp;
    let mesh: Mesh;
    let folder = '';
    let collector: SpanCollector;
    before(async () => {
      collector = await startCollector();
      folder = await mkdtemp(path.join(os.tmpdir(), 'hf-bound-'));
      app = await startGrpcApp({
        plain: () => ({}),
        routed: () => ({}),
        'unlisted-input': () => ({}),
        failing: fail,
        retried: (nth) => (nth === 1 ? fail() : {}),
        toBoth: (nth) => once(nth, { to: ['one', 'two'], data: json, concurrency: 1 }),
        toNone: (nth) => once(nth, { to: ['nowhere', 'two'], data: Buffer.from('"never"') }),
        toSides: (nth) =>
          once(nth, { to: ['nowhere', 'one'], data: Buffer.from('"beside"'), concurrency: 1 }),
        notJson: (nth) => once(nth, { to: ['bytes'], data: Buffer.from([0xff, 0]) }),
      });
      const resources = RESOURCES.replaceAll('$FOLDER', folder);
      mesh = await startMesh(executable, {
        grpcAppPort: app.port,
        tracing: `samplingRate: "1", zipkin: { endpointAddress: "${collector.url}" }`,
        resources: { 'bindings.yaml': resources, 'bindings-policies.yaml': POLICIES },
      });
    });
    after(async () => {
      await mesh?.stop();
      collector.close();
      app.close();
      await rm(folder, { recursive: true, force: true });
    });
    const heard = (name: string, count = 1) =>
      until(`${name} was heard ${count} times`, () => (app.bound.get(name)?.length ?? 0) >= count);
    const written = async (name: string): Promise<string[]> => {
      const names = await readdir(path.join(folder, name)).catch(() => []);
      const texts = names.map((one) => readFile(path.join(folder, name, one), 'utf8'));
      return (await Promise.all(texts)).sort();
    };

    test('those that the application lists are told by name, whatever their route', async () => {
      await Promise.all(['plain', 'routed', 'unlisted-input'].map((name) => heard(name)));
      // Whoever is not wanted would have been told by now as well.
      await sleep(1_200);
      const names = [...app.bound.keys()].filter((name) =>
        /^(plain|routed|unlisted|some)/.test(name),
      );
      assert.deepEqual(names.sort(), ['plain', 'routed', 'unlisted-input']);
    });

    test('an event has its metadata by their names, and a trace beside it', async () => {
      await heard('plain');
      const { data, headers, metadata } = app.bound.get('plain')![0]!;
      assert.deepEqual([data, Object.keys(metadata).sort()], ['', ['readTimeUTC', 'timeZone']]);
      assert.match(headers.get('grpc-trace-bin') ?? '', /^[\w+/]{39}$/);
      assert.match(headers.get('traceparent') ?? '', /^00-/);
      assert.equal(headers.get('readtimeutc'), null);
    });

    test('the span of an event says by which call it was brought', async () => {
      const span = () => collector.spans().find(({ name }) => name === 'bindings/plain');
      await until('its span is sent', () => span() !== undefined);
      const { tags } = span()!;
      assert.deepEqual(
        [tags['db.connection_string'], tags['db.name'], tags['rpc.service']],
        ['/dapr.proto.runtime.v1.AppCallback/OnBindingEvent', 'plain', 'Dapr'],
      );
    });

    test('an error is counted and not fatal, and tried again as the policies say', async () => {
      await heard('failing', 2);
      await heard('retried', 2);
      const page = async () =>
        (await fetch(`http://127.0.0.1:${mesh.metricsPort('spoken')}/`)).text();
      const series = (text: string, name: string, success: boolean) =>
        new RegExp(
          `^dapr_component_input_binding_count\\{app_id="spoken",component="${name}",namespace="[^"]*",success="${success}"\\} [1-9]`,
          'm',
        ).test(text);
      await until('failures are counted', async () => series(await page(), 'failing', false));
      await until('successes are counted', async () => series(await page(), 'retried', true));
      const text = await page();
      assert.deepEqual(
        [series(text, 'failing', true), series(text, 'retried', false)],
        [false, false],
      );
      const callback = 'grpc_client_method="/dapr.proto.runtime.v1.AppCallback/OnBindingEvent"';
      for (const status of ['OK', 'Unavailable']) {
        const completed = `dapr_grpc_io_client_completed_rpcs{app_id="spoken",${callback},grpc_client_status="${status}"}`;
        assert.ok(text.includes(completed), completed);
      }
    });

    test('what the answer says is for output bindings is written by them, as JSON', async () => {
      await Promise.all(['toBoth', 'toNone', 'toSides', 'notJson'].map((name) => heard(name, 2)));
      await until('both answers are written', async () => (await written('one')).length >= 2);
      assert.deepEqual(
        {
          // One after the other, the first that fails is the last; side by side, each for itself.
          one: await written('one'),
          two: await written('two'),
          bytes: await written('bytes'),
        },
        {
          one: ['beside', '{"a":"x","b":2}'],
          two: ['{"a":"x","b":2}'],
          // What is no JSON is `null`, which this binding takes for Base64.
          bytes: [Buffer.from('null', 'base64').toString()],
        },
      );
    });
  });
}

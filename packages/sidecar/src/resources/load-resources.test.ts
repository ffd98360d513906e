import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { temporaryFolder } from '../testing/start-mesh.ts';
import { NO_CONFIGURATION } from './configuration.ts';
import { loadResources } from './load-resources.ts';
import { METRICS_SETTINGS } from './metrics-settings.ts';

test('reads endpoints and components in scope, and names what cannot be read', async (t) => {
  const { load, folder } = await resources(t, {
    'all.yaml': `
kind: HTTPEndpoint
metadata: { name: outside }
spec: { baseUrl: "https://api.example/v1", headers: [{ name: X-Key, envRef: KEY }, { name: 5, value: 1 }] }
---
kind: HTTPEndpoint
metadata: { name: others }
spec: { baseUrl: "https://other.example" }
scopes: [somebody-else]
---
kind: HTTPEndpoint
metadata: { name: broken }
spec: { baseUrl: "ftp://x" }
---
kind: Subscription
spec: { pubsubname: p, topic: t }
`,
    'emptied.yaml': '',
    'store.yml': 'kind: Component\nmetadata: { name: s }\nspec: { type: state.redis }\n',
    'bad.yaml': 'kind: [\n',
    'notes.txt': 'kind: Component',
  });

  const { components, endpoints, problems } = await load({ KEY: 'secret' });

  assert.deepEqual(
    endpoints.map(({ baseUrl, headers, name }) => ({ name, baseUrl, headers })),
    [
      {
        name: 'outside',
        baseUrl: 'https://api.example/v1',
        headers: [
          { name: 'x-key', value: { kind: 'variable', variable: 'KEY' } },
          { name: '5', value: { kind: 'value', value: '1' } },
        ],
      },
    ],
  );
  assert.deepEqual(
    components.map(({ name, type }) => [name, type]),
    [['s', 'state.redis']],
  );
  assert.deepEqual(
    problems.map((problem) =>
      problem.replaceAll(folder, '').replace(/(bad\.yaml:\d+:\d+): .*/, '$1'),
    ),
    [
      'A resource cannot be read: /bad.yaml:2:1',
      '/all.yaml:11: HTTPEndpoint left out: spec.baseUrl must be an http or https URL',
      '/all.yaml:15: Subscription left out: the subscription to t has no route',
    ],
  );
});

test('a kind that is not there is told with the one that was meant', async (t) => {
  const { folder, load } = await resources(t, {
    'a.yaml': 'kind: Compnent\nmetadata: { name: a }\n---\nkind: WorkflowAccessPolicy\n',
  });

  const { unknown } = await load({});

  assert.deepEqual(
    unknown.map((line) => line.replaceAll(folder, '')),
    [
      '/a.yaml:1: resources of kind Compnent are not in this version (did you mean Component?); it is left out.',
      '/a.yaml:4: resources of kind WorkflowAccessPolicy are not in this version; it is left out.',
    ],
  );
});

test('fields in another case are those of Dapr, and one as it should be wins', async (t) => {
  const { load } = await resources(t, {
    'endpoint.yaml': `
Kind: HTTPEndpoint
METADATA: { Name: outside }
spec:
  baseURL: https://x
  clientTls: { rootca: { Value: pem } }
  headers: [{ Name: X-Mine, secretkeyref: { NAME: a, Key: b } }]
`,
    'component.yaml': `
kind: Component
metadata: { name: store }
spec: { IgnoreErrors: false, ignoreErrors: true, Type: state.sqlite, metadata: [{ Name: a, VALUE: b }] }
Scopes: [one]
---
kind: Component
metadata: { name: others }
spec: { type: state.sqlite }
SCOPES: [two]
`,
    'subscription.yaml': `
kind: Subscription
Spec: { pubsubName: p, Topic: t, Routes: { Default: /a }, metadata: { RawPayload: "true" } }
`,
  });
  const { components, endpoints, problems, subscriptions } = await load({});
  assert.deepEqual(problems, []);
  const [{ headers, tls }, ...more] = [...endpoints] as [(typeof endpoints)[0]];
  assert.deepEqual(
    [headers, tls, more],
    [
      [{ name: 'x-mine', value: { kind: 'secret', secret: 'a', key: 'b' } }],
      [{ name: 'rootCA', value: { kind: 'value', value: 'pem' } }],
      [],
    ],
  );
  assert.deepEqual(
    components.map(({ ignoreErrors, metadata, name, type }) => [
      name,
      type,
      ignoreErrors,
      metadata,
    ]),
    [['store', 'state.sqlite', true, [{ name: 'a', kind: 'value', value: 'b' }]]],
  );
  const [{ metadata, pubsub, rules, topic }] = subscriptions as [(typeof subscriptions)[0]];
  assert.deepEqual(
    [pubsub, topic, rules.map(({ path }) => path), metadata],
    ['p', 't', ['/a'], { RawPayload: 'true' }],
  );
});

test('merges configurations, key by key, with variables filled in', async (t) => {
  const { folder, load } = await resources(t, {});
  const one = path.join(folder, 'one.conf');
  const two = path.join(folder, 'two.conf');
  await writeFile(
    one,
    'kind: Configuration\nspec: { tracing: { samplingRate: "0.5" }, nameResolution: { component: sqlite, configuration: { connectionString: "$HOME_DIR/nr.db" } }, mtls: { enabled: true } }',
  );
  await writeFile(two, 'kind: Configuration\nspec: { metric: { enabled: false } }');

  const { configuration } = await load({ HOME_DIR: '/home/ann' }, [one, two]);

  assert.deepEqual(configuration, {
    ...NO_CONFIGURATION,
    nameResolution: { component: 'sqlite', configuration: { connectionString: '/home/ann/nr.db' } },
    samplingRate: 0.5,
    samplingRateGiven: true,
    exports: { zipkinUrl: undefined, otlp: undefined, stdout: false },
    metrics: { ...METRICS_SETTINGS, enabled: false, latencyBucketsMs: undefined },
    ignored: [`${one}: spec.mtls`],
  });
});

test('a sampling rate that is none is Dapr’s default, and one above 1 is all', async (t) => {
  const { folder, load } = await resources(t, {});
  const file = path.join(folder, 'c.conf');
  const rates: number[] = [];
  const said: string[] = [];
  for (const rate of ['""', '"lots"', '"-1"', '"2"', '"0"', '"1"', '0.25']) {
    await writeFile(file, `kind: Configuration\nspec: { tracing: { samplingRate: ${rate} } }`);
    const { samplingRate, warnings } = (await load({}, [file])).configuration;
    rates.push(samplingRate);
    said.push(...warnings.map((line) => line.replace(file, '')));
  }

  assert.deepEqual(rates, [1e-4, 1e-4, 1e-4, 1, 0, 1, 0.25]);
  const none = (given: string) =>
    `:2:34: spec.tracing.samplingRate is "${given}", which is no number from 0 to 1: 0.0001 counts, as in daprd.`;
  assert.deepEqual(said, [none(''), none('lots'), none('-1')]);
});

test('names the keys of a Configuration that have no effect', async (t) => {
  const folder = await temporaryFolder(t);
  const file = path.join(folder, 'config.yaml');
  await writeFile(
    file,
    `kind: Configuration
spec:
  workflow: { maxConcurrentWorkflowInvocations: 1 }
  tracing: { samplingRate: "1", zipkin: { endpointAddress: x } }
  logging: { apiLogging: { enabled: true } }
`,
  );
  const options = { appId: 'a', resourcesPaths: [], configPaths: [file] };
  const { configuration } = await loadResources(options, {});
  assert.deepEqual(
    [configuration.ignored, configuration.apiLogging],
    [[`${file}: spec.workflow`], { enabled: true, obfuscateUrls: false, omitHealthChecks: false }],
  );
});

async function resources(t: TestContext, files: Readonly<Record<string, string>>) {
  const folder = await temporaryFolder(t);
  for (const [name, text] of Object.entries(files)) await writeFile(path.join(folder, name), text);
  return {
    folder,
    load: (variables: Readonly<Record<string, string>>, configPaths: readonly string[] = []) =>
      loadResources({ appId: 'one', resourcesPaths: [folder], configPaths }, variables),
  };
}

test('settings of metrics that cannot be are told with their place', async (t) => {
  const { folder, load } = await resources(t, {});
  const file = path.join(folder, 'c.yaml');
  const said: string[] = [];
  for (const metrics of [
    'latencyDistributionBuckets: [5, 1]',
    'http: { increasedCardinality: "no" }',
    'http: { pathMatching: [5] }',
    'recordErrorCodes: 1',
    'latencyDistributionBuckets: [1, 5], http: { pathMatching: ["/a/{b}"], excludeVerbs: true }',
  ]) {
    await writeFile(file, `kind: Configuration\nspec:\n  metrics: { ${metrics} }\n`);
    said.push(
      await load({}, [file]).then(
        ({ configuration }) => JSON.stringify(configuration.metrics),
        (error: Error) => error.message.replace(folder, ''),
      ),
    );
  }
  assert.deepEqual(said, [
    '/c.yaml:3:42: spec.metrics.latencyDistributionBuckets must be a list of milliseconds that rise, such as [5, 50, 500].',
    '/c.yaml:3:44: spec.metrics.http.increasedCardinality must be true or false.',
    '/c.yaml:3:36: spec.metrics.http.pathMatching must be a list of paths, such as "/orders/{id}".',
    '/c.yaml:3:32: spec.metrics.recordErrorCodes must be true or false.',
    '{"enabled":true,"errorCodes":false,"rules":[],"latencyBucketsMs":[1,5],"byPath":true,"pathPatterns":["/a/{b}"],"byVerb":false}',
  ]);
});

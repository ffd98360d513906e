import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { until } from '@holdfast/test-servers';
import { sendRaw } from '../../../packages/sidecar/src/testing/raw-http.ts';
import { type AppMesh, startAppMesh } from '../makes/app-mesh.ts';
import { bothMakes, type Make } from '../makes/both-makes.ts';
import { type DaprClient, daprClient } from '../makes/grpc-client.ts';

const component = (name: string, type: string, metadata = '[]') =>
  `apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata: { name: ${name} }\nspec: { type: ${type}, version: v1, metadata: ${metadata} }\n---\n`;

const RESOURCES = [
  component('store', 'state.in-memory'),
  component('bus', 'pubsub.in-memory', '[{ name: publishingScopes, value: "counted=ok" }]'),
  component(
    'mute',
    'state.in-memory',
    '[{ name: outboxPublishPubsub, value: nobody }, { name: outboxPublishTopic, value: t }]',
  ),
  component('env', 'secretstores.local.env'),
].join('');

const SPEC = `metrics: { recordErrorCodes: true }
secrets: { scopes: [{ storeName: env, defaultAccess: deny }] }`;

const APPS = {
  counted: { spec: SPEC, resources: { 'all.yaml': RESOURCES } },
  quiet: { spec: 'metrics: { recordErrorCodes: false }' },
} as const;

type Send = readonly [verb: string, path: string, body?: string, ...headers: string[]];

const FIRST_WRITE = '{"concurrency":"first-write"}';
const stale = `[{"key":"e","value":1,"etag":"9","options":${FIRST_WRITE}}]`;
const bad = '{"operations":[{"operation":"bad","request":{"key":"a"}}]}';
const told = '{"operations":[{"operation":"upsert","request":{"key":"a","value":1}}]}';
const cloud = 'content-type: application/cloudevents+json';

/** Of an API that is not in this version of ours. */
const ABSENT = 'common ERR_API_UNIMPLEMENTED';

/** What an HTTP client is answered, and what is counted then; by ours, where that is another. */
const HTTP: readonly (readonly [Send, daprd: string, ours?: string])[] = [
  [['GET', '/v1.0/healthz?appid=other'], 'health ERR_HEALTH_APPID_NOT_MATCH'],
  [['GET', '/nothing'], 'service-invocation ERR_DIRECT_INVOKE'],
  [['GET', '/v1.0/invoke/nobody/method/x'], 'service-invocation ERR_DIRECT_INVOKE'],
  [['GET', '/v1.0/invoke/a.b.c/method/x'], 'service-invocation ERR_DIRECT_INVOKE'],
  [['GET', '/v1.0/invoke/counted/method/x?status=404'], 'service-invocation ERR_DIRECT_INVOKE'],
  [['GET', '/v1.0/invoke/counted/method/x?status=302'], ''],
  [['GET', '/v1.0/metadata', '', 'baggage: ='], ''],
  [['POST', '/v1.0/state/store', '[{"key":"a||b","value":1}]'], 'state ERR_MALFORMED_REQUEST'],
  [['POST', '/v1.0/state/store', 'nonsense'], 'common ERR_MALFORMED_REQUEST'],
  [['POST', '/v1.0/state/store', stale], 'state ERR_STATE_SAVE'],
  [['DELETE', '/v1.0/state/store/e', '', 'if-match: 9'], 'state ERR_STATE_DELETE'],
  [['POST', '/v1.0/state/store/transaction', bad], 'state ERR_NOT_SUPPORTED_STATE_OPERATION'],
  [['POST', '/v1.0/state/mute/transaction', told], 'pubsub ERR_PUBLISH_OUTBOX'],
  [['POST', '/v1.0-alpha1/state/store/query', '{}'], 'state ERR_STATE_STORE_NOT_SUPPORTED'],
  [['GET', '/v1.0/state/none/a'], 'state ERR_STATE_STORE_NOT_FOUND'],
  [['POST', '/v1.0/publish/none/t', '1'], 'pubsub ERR_PUBSUB_NOT_FOUND'],
  [['POST', '/v1.0/publish/bus/bad', '1'], 'pubsub ERR_PUBSUB_FORBIDDEN'],
  [
    ['POST', '/v1.0/publish/bus/ok?metadata.rawPayload=x', '1'],
    'pubsub ERR_PUBSUB_REQUEST_METADATA',
  ],
  [['POST', '/v1.0/publish/bus/ok', 'x', cloud], 'pubsub ERR_PUBSUB_CLOUD_EVENTS_SER'],
  [['POST', '/v1.0/publish/bulk/bus/ok', 'x'], 'pubsub ERR_PUBSUB_EVENTS_SER'],
  [['GET', '/v1.0/secrets/env/HOME'], 'secret ERR_PERMISSION_DENIED'],
  [['GET', '/v1.0/secrets/none/HOME'], 'secret ERR_SECRET_STORE_NOT_FOUND'],
  [
    ['GET', '/v1.0/configuration/none?key=a'],
    'configuration ERR_CONFIGURATION_STORE_NOT_CONFIGURED',
  ],
  [
    ['POST', '/v1.0-alpha1/unlock/none', '{"resourceId":"a","lockOwner":"b"}'],
    'lock ERR_LOCK_STORE_NOT_CONFIGURED',
  ],
  [['POST', '/v1.0/bindings/none', '{}'], 'binding ERR_INVOKE_OUTPUT_BINDING'],
  [['POST', '/v1.0/bindings/none', 'x'], 'common ERR_MALFORMED_REQUEST'],
  [['GET', '/v1.0/actors/T/1/method/m'], 'actor ERR_ACTOR_NO_PLACEMENT', ABSENT],
  [
    ['PUT', '/v1.0-alpha1/crypto/n/encrypt', '', 'dapr-key-name: k'],
    'crypto ERR_CRYPTO_PROVIDERS_NOT_CONFIGURED',
    ABSENT,
  ],
  [
    ['POST', '/v1.0-alpha1/conversation/n/converse', '{}'],
    'conversation ERR_CONVERSATION_NOT_FOUND',
    ABSENT,
  ],
];

const value = Buffer.from('1');

/** What a gRPC client is told, and what is counted then. */
const GRPC: readonly (readonly [string, (client: DaprClient) => Promise<unknown>, string])[] = [
  [
    'an app nobody knows',
    (c) => c.invokeService({ id: 'nobody', message: { method: 'x' } }),
    'service-invocation ERR_DIRECT_INVOKE',
  ],
  [
    'an app that fails',
    (c) =>
      c.invokeService({
        id: 'counted',
        message: { method: 'x', httpExtension: { verb: 1, querystring: 'status=500' } },
      }),
    '',
  ],
  [
    'no store',
    (c) => c.getState({ storeName: 'none', key: 'a' }),
    'state ERR_STATE_STORE_NOT_FOUND',
  ],
  [
    'a key that cannot be',
    (c) => c.getState({ storeName: 'store', key: 'a||b' }),
    'state ERR_MALFORMED_REQUEST',
  ],
  [
    'an old etag',
    (c) =>
      c.saveState({
        storeName: 'store',
        states: [{ key: 'e', value, etag: { value: '9' }, options: { concurrency: 1 } }],
      }),
    'state ERR_STATE_SAVE',
  ],
  [
    'no pubsub',
    (c) => c.publishEvent({ pubsubName: 'none', topic: 't' }),
    'pubsub ERR_PUBSUB_NOT_FOUND',
  ],
  [
    'no topic',
    (c) => c.publishEvent({ pubsubName: 'bus', topic: '' }),
    'pubsub ERR_TOPIC_NAME_EMPTY',
  ],
  [
    'a secret denied',
    (c) => c.getSecret({ storeName: 'env', key: 'HOME' }),
    'secret ERR_PERMISSION_DENIED',
  ],
  [
    'no lock store',
    (c) => c.tryLockAlpha1({ storeName: 'n', resourceId: 'a', lockOwner: 'b', expiryInSeconds: 1 }),
    'lock ERR_LOCK_STORE_NOT_CONFIGURED',
  ],
  [
    'no binding',
    (c) => c.invokeBinding({ name: 'none', operation: 'x' }),
    'binding ERR_INVOKE_OUTPUT_BINDING',
  ],
];

await bothMakes(conformance);

/** `spec.metrics.recordErrorCodes`. */
function conformance(make: Make, executable: string | undefined): void {
  describe(`${make}, errors of the API by code`, () => {
    let mesh: AppMesh<keyof typeof APPS>;
    before(async () => {
      mesh = await startAppMesh(executable, APPS);
    });
    after(() => mesh.stop());

    for (const [[method, path, body, ...headers], theirs, ours = theirs] of HTTP) {
      const expected = make === 'daprd' ? theirs : ours;
      test(`${method} ${path}${body ? `, ${body}` : ''}: ${expected || 'none'}`, async () => {
        const typed = headers.some((one) => one.startsWith('content-type'));
        const json =
          body === undefined || body === '' || typed ? [] : ['content-type: application/json'];
        await counts(expected, () =>
          sendRaw(mesh.port('counted'), {
            method,
            path,
            body: body ?? '',
            headers: [...json, ...headers],
          }),
        );
      });
    }

    for (const [what, call, expected] of GRPC) {
      test(`gRPC, ${what}: ${expected || 'none'}`, () =>
        counts(expected, () => call(daprClient(mesh.grpcPort('counted'))).catch(() => {})));
    }

    test('none where the Configuration does not ask for it', async () => {
      await sendRaw(mesh.port('quiet'), { path: '/nothing' });
      const text = await (await fetch(`http://127.0.0.1:${mesh.metricsPort('quiet')}/`)).text();
      assert.ok(!text.includes('dapr_error_code_total'));
    });

    async function counts(expected: string, work: () => Promise<unknown>): Promise<void> {
      const before = await scrape();
      await work();
      const wanted = expected === '' ? [] : [`${expected} +1`];
      let seen: string[] = [];
      const look = async () => {
        const now = await scrape();
        seen = [...now].flatMap(([code, count]) => {
          const more = count - (before.get(code) ?? 0);
          return more === 0 ? [] : [`${code} +${more}`];
        });
        return seen.length >= wanted.length;
      };
      await until(`${expected} is counted`, look);
      assert.deepEqual(seen, wanted);
    }

    async function scrape(): Promise<Map<string, number>> {
      const page = await (await fetch(`http://127.0.0.1:${mesh.metricsPort('counted')}/`)).text();
      const line =
        /^dapr_error_code_total\{app_id="counted",category="(.*?)",error_code="(.*?)"\} (\d+)/gm;
      return new Map(
        [...page.matchAll(line)].map(([, ...of]) => [`${of[0]} ${of[1]}`, Number(of[2])]),
      );
    }
  });
}

import type { CallOptions } from '@connectrpc/connect';
import type { DaprClient } from '../grpc-client.ts';

/** A call of the gRPC API and what becomes of it. */
export interface RpcCase {
  readonly name: string;
  readonly call: (client: DaprClient, options: CallOptions) => Promise<unknown>;
  /** Metadata to look at. */
  readonly shown?: readonly string[];
  readonly want: unknown;
  /** Where daprd does otherwise, and why we do not. */
  readonly daprd?: { readonly want: unknown; readonly why: string };
}

export const RPC_COMPONENTS = `
apiVersion: dapr.io/v1alpha1
kind: Component
metadata: { name: memory }
spec: { type: state.in-memory, version: v1 }
---
apiVersion: dapr.io/v1alpha1
kind: Component
metadata: { name: lite }
spec: { type: state.sqlite, version: v1, metadata: [{ name: connectionString, value: "$FOLDER/rpc.db" }] }
---
apiVersion: dapr.io/v1alpha1
kind: Component
metadata: { name: bus }
spec: { type: pubsub.in-memory, version: v1, metadata: [{ name: protectedTopics, value: closed }] }
---
apiVersion: dapr.io/v1alpha1
kind: Component
metadata: { name: file }
spec: { type: secretstores.local.file, version: v1, metadata: [{ name: secretsFile, value: "$FOLDER/resources/rpc-secrets.json" }] }
`;

const bytes = (text: string) => Buffer.from(text);
const info = (reason: string, metadata: object = {}) => ({ reason, domain: 'dapr.io', metadata });
const resource = (resourceType: string, resourceName: string, description: string) => ({
  resourceType,
  resourceName,
  owner: '',
  description,
});
const basic = (code: number, reason: string, message: string) => ({
  code,
  message,
  details: [info(reason)],
});
const ofPubsub = (
  code: number,
  message: string,
  reason: string,
  metadata: object = {},
  name = 'bus',
) => ({ code, message, details: [resource('pubsub', name, message), info(reason, metadata)] });

const STATE: readonly RpcCase[] = ['memory', 'lite'].flatMap((storeName): RpcCase[] => [
  {
    name: `${storeName}: what is not there is empty`,
    call: (c, o) => c.getState({ storeName, key: 'none' }, o),
    want: { answer: { data: '', etag: '', metadata: {} } },
  },
  {
    name: `${storeName}: bytes that are no JSON are kept`,
    call: async (c, o) => {
      await c.saveState({ storeName, states: [{ key: 'b', value: Buffer.from([0, 0xff, 0x22]) }] });
      return await c.getState({ storeName, key: 'b' }, o);
    },
    want: { answer: { data: '\u0000ÿ"', etag: 'UUID', metadata: {} } },
  },
  {
    name: `${storeName}: JSON is written anew where the client says that it is JSON`,
    call: async (c, o) => {
      const metadata = { contentType: 'application/json' };
      const value = bytes('{"a": 1}');
      await c.saveState({
        storeName,
        states: [
          { key: 'j', value, metadata },
          { key: 'k', value },
        ],
      });
      return await c.getBulkState({ storeName, keys: ['j', 'k', 'none'] }, o);
    },
    want: {
      answer: {
        items: [
          { key: 'j', data: '{"a":1}', etag: 'UUID', error: '', metadata: {} },
          { key: 'k', data: '{"a": 1}', etag: 'UUID', error: '', metadata: {} },
          { key: 'none', data: '', etag: '', error: '', metadata: {} },
        ],
      },
    },
  },
  {
    name: `${storeName}: first-write is for what is not there yet`,
    call: async (c, o) => {
      const state = { key: 'once', value: bytes('1'), options: { concurrency: 1 as const } };
      await c.saveState({ storeName, states: [state] });
      return await c
        .saveState({ storeName, states: [state] }, o)
        .catch((error: { code: number }) => error.code);
    },
    want: { answer: 10 },
  },
  {
    name: `${storeName}: an etag of another write is ABORTED`,
    call: async (c) => {
      await c.saveState({ storeName, states: [{ key: 'e', value: bytes('1') }] });
      const { etag } = await c.getState({ storeName, key: 'e' });
      const states = [{ key: 'e', value: bytes('2'), etag: { value: etag } }];
      await c.saveState({ storeName, states });
      return await Promise.all([
        c.saveState({ storeName, states }).catch((error) => error.code),
        c.deleteState({ storeName, key: 'e', etag: { value: etag } }).catch((error) => error.code),
      ]);
    },
    want: { answer: [10, 10] },
  },
  {
    name: `${storeName}: a transaction does both or nothing`,
    call: async (c, o) => {
      await c.saveState({ storeName, states: [{ key: 'gone', value: bytes('1') }] });
      const upsert = { operationType: 'upsert', request: { key: 't', value: bytes('t') } };
      const remove = { operationType: 'delete', request: { key: 'gone' } };
      await c.executeStateTransaction({ storeName, operations: [upsert, remove] });
      return await c.getBulkState({ storeName, keys: ['t', 'gone'] }, o);
    },
    want: {
      answer: {
        items: [
          { key: 't', data: 't', etag: 'UUID', error: '', metadata: {} },
          { key: 'gone', data: '', etag: '', error: '', metadata: {} },
        ],
      },
    },
  },
  {
    name: `${storeName}: several are deleted at once`,
    call: async (c, o) => {
      await c.saveState({
        storeName,
        states: [
          { key: 'd1', value: bytes('1') },
          { key: 'd2', value: bytes('2') },
        ],
      });
      await c.deleteBulkState({ storeName, states: [{ key: 'd1' }, { key: 'd2' }] });
      return await c.getBulkState({ storeName, keys: ['d1', 'd2'] }, o);
    },
    want: {
      answer: {
        items: ['d1', 'd2'].map((key) => ({ key, data: '', etag: '', error: '', metadata: {} })),
      },
    },
  },
]);

const REFUSED_STATE: readonly RpcCase[] = [
  {
    name: 'a store that is not there',
    call: (c, o) => c.getState({ storeName: 'nowhere', key: 'a' }, o),
    want: {
      code: 3,
      message: 'state store nowhere is not found',
      details: [info('DAPR_STATE_NOT_FOUND', { appID: 'caller' })],
    },
    daprd: {
      want: {
        code: 3,
        message: 'state store nowhere is not found',
        details: [info('DAPR_STATE_NOT_FOUND')],
      },
      why: 'over HTTP it names the app that asked, and so do we here',
    },
  },
  {
    name: 'a key with the separator',
    call: (c, o) => c.getState({ storeName: 'memory', key: 'a||b' }, o),
    want: {
      code: 3,
      message: "input key/keyPrefix 'a||b' can't contain '||'",
      details: [
        {
          fieldViolations: [
            { field: 'a||b', description: "input key/keyPrefix 'a||b' can't contain '||'" },
          ],
        },
        resource('state', 'memory', ''),
        info('DAPR_STATE_ILLEGAL_KEY'),
      ],
    },
  },
  {
    name: 'an empty key',
    call: (c, o) => c.saveState({ storeName: 'memory', states: [{ value: bytes('1') }] }, o),
    want: basic(3, 'ERR_STATE_SAVE', 'state key cannot be empty'),
  },
  {
    name: 'a time to live that is none',
    call: (c, o) => {
      const states = [{ key: 'ttl', value: bytes('1'), metadata: { ttlInSeconds: 'abc' } }];
      return c.saveState({ storeName: 'memory', states }, o);
    },
    want: basic(
      13,
      'ERR_STATE_SAVE',
      'failed saving state in state store memory: strconv.Atoi: parsing "abc": invalid syntax',
    ),
  },
  {
    name: 'an operation that a transaction does not have',
    call: (c, o) => {
      const operations = [{ operationType: 'zap', request: { key: 't', value: bytes('1') } }];
      return c.executeStateTransaction({ storeName: 'memory', operations }, o);
    },
    want: basic(12, 'ERR_NOT_SUPPORTED_STATE_OPERATION', 'operation type zap not supported'),
  },
  {
    name: 'a query',
    call: (c, o) => c.queryStateAlpha1({ storeName: 'memory', query: '{}' }, o),
    want: {
      code: 13,
      message: 'state store does not support querying',
      details: [resource('state', 'memory', ''), info('DAPR_STATE_QUERYING_NOT_SUPPORTED')],
    },
  },
];

const PUBSUB: readonly RpcCase[] = [
  {
    name: 'an event is published',
    call: (c, o) => c.publishEvent({ pubsubName: 'bus', topic: 't', data: bytes('1') }, o),
    want: { answer: {} },
  },
  {
    name: 'a broker that is not there',
    call: (c, o) => c.publishEvent({ pubsubName: 'nowhere', topic: 't' }, o),
    want: {
      code: 3,
      message: 'pubsub nowhere is not found',
      details: [info('DAPR_PUBSUB_NOT_FOUND')],
    },
  },
  {
    name: 'a broker without a name',
    call: (c, o) => c.publishEvent({ topic: 't' }, o),
    want: ofPubsub(3, 'pubsub name is empty', 'DAPR_PUBSUB_NAME_EMPTY', {}, ''),
  },
  {
    name: 'a topic without a name',
    call: (c, o) => c.publishEvent({ pubsubName: 'bus' }, o),
    want: ofPubsub(3, 'topic is empty in pubsub bus', 'DAPR_PUBSUB_TOPIC_NAME_EMPTY'),
  },
  {
    name: 'a topic that is not for this app',
    call: (c, o) => c.publishEvent({ pubsubName: 'bus', topic: 'closed' }, o),
    want: ofPubsub(7, 'topic closed is not allowed for app id caller', 'DAPR_PUBSUB_FORBIDDEN', {
      topic: 'closed',
      error: 'topic closed is not allowed for app id caller',
    }),
  },
  {
    name: 'a rawPayload that is neither true nor false',
    call: (c, o) =>
      c.publishEvent({ pubsubName: 'bus', topic: 't', metadata: { rawPayload: 'maybe' } }, o),
    want: ofPubsub(
      3,
      "failed deserializing metadata. Error: rawPayload value must be a valid boolean: actual is 'maybe'",
      'DAPR_PUBSUB_METADATA_DESERIALIZATION',
      { rawPayload: 'maybe' },
    ),
  },
  {
    name: 'events are published together',
    call: (c, o) => {
      const entries = [
        { entryId: '1', event: bytes('x'), contentType: 'text/plain' },
        { entryId: '2', event: bytes('{}'), contentType: 'application/json' },
      ];
      return c.bulkPublishEvent({ pubsubName: 'bus', topic: 't', entries }, o);
    },
    want: { answer: { failedEntries: [] } },
  },
  {
    name: 'two entries with one id',
    call: (c, o) => {
      const entries = [{ entryId: '1' }, { entryId: '1' }];
      return c.bulkPublishEventAlpha1({ pubsubName: 'bus', topic: 't', entries }, o);
    },
    want: ofPubsub(
      3,
      'error marshaling events to bytes for topic t pubsub bus. error: entryId is duplicated or not present for entry',
      'DAPR_PUBSUB_MARSHAL_EVENTS',
      { appID: 'caller', error: 'entryId is duplicated or not present for entry' },
    ),
  },
  {
    name: 'entries for a topic that is not for this app',
    call: (c, o) => {
      const entries = [{ entryId: '1' }];
      return c.bulkPublishEvent({ pubsubName: 'bus', topic: 'closed', entries }, o);
    },
    want: ofPubsub(7, 'topic closed is not allowed for app id caller', 'DAPR_PUBSUB_FORBIDDEN', {
      topic: 'closed',
      error: 'topic closed is not allowed for app id caller',
    }),
  },
];

const OTHERS: readonly RpcCase[] = [
  {
    name: 'a secret',
    call: (c, o) => c.getSecret({ storeName: 'file', key: 'a' }, o),
    want: { answer: { data: { a: 'b' } } },
  },
  {
    name: 'all secrets',
    call: (c, o) => c.getBulkSecret({ storeName: 'file' }, o),
    want: { answer: { data: { a: { secrets: { a: 'b' } } } } },
  },
  {
    name: 'a secret that is not there',
    call: (c, o) => c.getSecret({ storeName: 'file', key: 'zz' }, o),
    want: {
      code: 13,
      message: 'failed getting secret with key zz from secret store file: secret zz not found',
    },
  },
  {
    name: 'a secret store that is not there',
    call: (c, o) => c.getBulkSecret({ storeName: 'nowhere' }, o),
    want: { code: 3, message: 'failed finding secret store with key nowhere' },
  },
  {
    name: 'configuration without a store',
    call: (c, o) => c.getConfiguration({ storeName: 'nowhere' }, o),
    want: basic(9, 'ERR_CONFIGURATION_STORE_NOT_CONFIGURED', 'configuration stores not configured'),
  },
  {
    name: 'a lock without a store',
    call: (c, o) =>
      c.tryLockAlpha1(
        { storeName: 'nowhere', resourceId: 'r', lockOwner: 'o', expiryInSeconds: 1 },
        o,
      ),
    want: { code: 9, message: 'lock store is not configured' },
  },
  {
    name: 'a binding that is not there',
    call: (c, o) => c.invokeBinding({ name: 'nowhere', operation: 'get' }, o),
    want: basic(
      13,
      'ERR_INVOKE_OUTPUT_BINDING',
      "error invoking output binding nowhere: couldn't find output binding nowhere",
    ),
  },
  {
    name: 'a binding without an operation',
    call: (c, o) => c.invokeBinding({ name: 'nowhere' }, o),
    want: basic(
      13,
      'ERR_INVOKE_OUTPUT_BINDING',
      'error invoking output binding nowhere: operation field is missing from request',
    ),
  },
  {
    name: 'metadata that was set is shown',
    call: async (c) => {
      await c.setMetadata({ key: 'mine', value: 'yes' });
      const { extendedMetadata, id, runtimeVersion } = await c.getMetadata({});
      return { id, runtimeVersion, mine: extendedMetadata.mine };
    },
    want: { answer: { id: 'caller', runtimeVersion: '1.18.0', mine: 'yes' } },
  },
];

export const RPC_CASES = [...STATE, ...REFUSED_STATE, ...PUBSUB, ...OTHERS];

const POST = 3;
const GET = 1;
const statusInfo = (reason: string, status: number, text: string) =>
  info(reason, { 'http.code': String(status), 'http.error_message': text });

const echoed = (answer: unknown) => {
  const { contentType, data } = answer as { contentType: string; data: { value: Uint8Array } };
  const { body, headers, method, url } = JSON.parse(Buffer.from(data.value).toString());
  return { contentType, method, url, body, mine: headers['x-mine'], type: headers['content-type'] };
};

export const RPC_INVOCATIONS: readonly RpcCase[] = [
  {
    name: 'verb, method, query, body and metadata reach an application over HTTP',
    call: async (c, o) => {
      const message = {
        method: 'echo/x',
        data: { value: bytes('{"a":1}') },
        contentType: 'application/json',
        httpExtension: { verb: POST as 3, querystring: 'q=1&r=2' },
      };
      const headers = { 'x-mine': '7' };
      return echoed(await c.invokeService({ id: 'callee', message }, { ...o, headers }));
    },
    shown: ['dapr-http-status', 'x-app'],
    want: {
      answer: {
        contentType: 'application/json',
        method: 'POST',
        url: '/echo/x?q=1&r=2',
        body: '{"a":1}',
        mine: '7',
        type: 'application/json',
      },
      metadata: { 'dapr-http-status': '200', 'x-app': 'echo' },
    },
  },
  {
    name: 'without a content type there is none',
    call: async (c, o) => {
      const message = {
        method: 'echo',
        data: { value: bytes('1') },
        httpExtension: { verb: POST as 3 },
      };
      return echoed(await c.invokeService({ id: 'callee', message }, o)).type;
    },
    want: { answer: undefined },
  },
  {
    name: 'the own application is called without the network',
    call: async (c, o) => {
      const message = { method: 'self', httpExtension: { verb: GET as 1 } };
      const { method, url } = echoed(await c.invokeService({ id: 'caller', message }, o));
      return { method, url };
    },
    want: { answer: { method: 'GET', url: '/self' } },
  },
  ...(
    [
      [400, 13, 'Bad Request'],
      [401, 16, 'Unauthorized'],
      [404, 5, 'Not Found'],
      [409, 6, 'Conflict'],
      [418, 2, "I'm a teapot"],
      [429, 8, 'Too Many Requests'],
      [500, 2, 'Internal Server Error'],
      [503, 14, 'Service Unavailable'],
    ] as const
  ).map(
    ([status, code, reason]): RpcCase => ({
      name: `an application's ${status} is a code and its words are a detail`,
      call: (c, o) => {
        const querystring = `status=${status}`;
        const message = { method: 'echo', httpExtension: { verb: GET as 1, querystring } };
        return c.invokeService({ id: 'callee', message }, o);
      },
      shown: ['dapr-http-status'],
      want: {
        code,
        message: reason,
        details: [
          statusInfo(
            reason,
            status,
            `{"method":"GET","url":"/echo?status=${status}","headers":{"host":"127.0.0.1:`.slice(
              0,
              63,
            ),
          ),
        ],
        metadata: { 'dapr-http-status': String(status) },
      },
    }),
  ),
  {
    name: 'an app that nobody knows',
    call: (c, o) => {
      const message = { method: 'echo', httpExtension: { verb: GET as 1 } };
      return c.invokeService({ id: 'nobody', message }, o);
    },
    want: {
      code: 13,
      message: 'failed to invoke, id: nobody, err: no host found with the given ID',
    },
  },
  {
    name: 'no app',
    call: (c, o) => c.invokeService({ message: { method: 'x', httpExtension: { verb: 1 } } }, o),
    want: { code: 13, message: 'failed to invoke, id: , err: app id is empty' },
  },
  {
    name: 'a method that would end the path',
    call: (c, o) => {
      const message = { method: 'a#b', httpExtension: { verb: GET as 1 } };
      return c.invokeService({ id: 'callee', message }, o);
    },
    want: {
      code: 13,
      message:
        'failed to invoke, id: callee, err: rpc error: code = InvalidArgument desc = invalid method: method contains forbidden character: "a#b"',
    },
  },
  {
    name: 'no verb for an application over HTTP',
    call: (c, o) => c.invokeService({ id: 'callee', message: { method: 'echo' } }, o),
    want: {
      code: 13,
      message:
        'failed to invoke, id: callee, err: rpc error: code = Internal desc = error invoking app channel: rpc error: code = InvalidArgument desc = missing HTTP extension field',
    },
  },
  {
    name: 'a timeout of the policies',
    call: (c, o) => {
      const httpExtension = { verb: GET as 1, querystring: 'delay=2000' };
      return c.invokeService({ id: 'callee.timed', message: { method: 'echo', httpExtension } }, o);
    },
    want: { code: 4, message: 'context deadline exceeded' },
  },
  {
    name: 'a circuit that the policies have opened',
    call: async (c, o) => {
      const httpExtension = { verb: GET as 1, querystring: 'status=500' };
      const message = { method: 'rpc-circuit', httpExtension };
      for (let n = 0; n < 3; n += 1) {
        await c.invokeService({ id: 'callee.broken', message }).catch(() => {});
      }
      return await c.invokeService({ id: 'callee.broken', message }, o);
    },
    want: { code: 2, message: 'circuit breaker is open' },
  },
  {
    name: 'a retry of the policies',
    call: async (c, o) => {
      const httpExtension = { verb: GET as 1, querystring: 'fail=2' };
      const message = { method: 'rpc-retried', httpExtension };
      return echoed(await c.invokeService({ id: 'callee.retried', message }, o)).url;
    },
    want: { answer: '/rpc-retried?fail=2' },
  },
];

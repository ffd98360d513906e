import type { CallOptions } from '@connectrpc/connect';
import type { DaprClient } from '../makes/grpc-client.ts';

/** A call of the gRPC API and what becomes of it. */
export interface RpcCase {
  readonly name: string;
  readonly call: (client: DaprClient, options: CallOptions) => Promise<unknown>;
  /** Metadata to look at. */
  readonly shown?: readonly string[];
  readonly want: unknown;
  /** Where daprd does otherwise, and why we do not. */
  readonly daprd?: {
    readonly want: unknown;
    readonly why: string;
    /** Where two parts of daprd race, what the message says if the other wins. */
    readonly or?: RegExp;
  };
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

export const bytes = (text: string) => Buffer.from(text);
export const info = (reason: string, metadata: object = {}) => ({
  reason,
  domain: 'dapr.io',
  metadata,
});
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
      // Unlike over HTTP, who asked is not named.
      details: [info('DAPR_STATE_NOT_FOUND')],
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

import { ConnectError } from '@connectrpc/connect';
import { type DaprClient, daprClient } from '../makes/grpc-client.ts';

/** One call of a component over either protocol, by the words that cases use. */
export type Ask = (call: string, component: string) => Promise<string>;

type HttpCall = readonly [method: string, path: string, body?: unknown];

const TWO = [
  { key: 'a', value: 1 },
  { key: 'b', value: 2 },
];
const QUERY = '{"filter":{},"sort":[],"page":{"limit":2}}';
const ENTRIES = [1, 2].map((n) => ({ entryId: `${n}`, event: 'e', contentType: 'text/plain' }));

const HTTP: Readonly<Record<string, (name: string) => HttpCall>> = {
  get: (name) => ['GET', `state/${name}/k`],
  set: (name) => ['POST', `state/${name}`, [TWO[0]]],
  'set two': (name) => ['POST', `state/${name}`, TWO],
  delete: (name) => ['DELETE', `state/${name}/k`],
  'get bulk': (name) => ['POST', `state/${name}/bulk`, { keys: ['a', 'b'] }],
  transact: (name) => [
    'POST',
    `state/${name}/transaction`,
    { operations: [{ operation: 'upsert', request: TWO[0] }] },
  ],
  query: (name) => ['POST', `../v1.0-alpha1/state/${name}/query`, JSON.parse(QUERY)],
  secret: (name) => ['GET', `secrets/${name}/key`],
  secrets: (name) => ['GET', `secrets/${name}/bulk`],
  invoke: (name) => ['POST', `bindings/${name}`, { operation: 'create', data: 1 }],
  'invoke oddly': (name) => ['POST', `bindings/${name}`, { operation: 'odd', data: 1 }],
  publish: (name) => ['POST', `publish/${name}/topic`, 1],
  'publish bulk': (name) => ['POST', `publish/bulk/${name}/topic`, ENTRIES],
  config: (name) => ['GET', `configuration/${name}?key=k`],
  subscribe: (name) => ['GET', `configuration/${name}/subscribe?key=k`],
  lock: (name) => [
    'POST',
    `../v1.0-alpha1/lock/${name}`,
    { resourceId: 'r', lockOwner: 'me', expiryInSeconds: 60 },
  ],
  unlock: (name) => ['POST', `../v1.0-alpha1/unlock/${name}`, { resourceId: 'r', lockOwner: 'me' }],
};

const bytes = (text: string) => Buffer.from(text);
const RPC: Readonly<
  Record<string, (dapr: DaprClient, storeName: string) => Promise<{ readonly $typeName: string }>>
> = {
  get: (dapr, storeName) => dapr.getState({ storeName, key: 'k' }),
  set: (dapr, storeName) =>
    dapr.saveState({ storeName, states: [{ key: 'k', value: bytes('1') }] }),
  'set two': (dapr, storeName) =>
    dapr.saveState({
      storeName,
      states: ['a', 'b'].map((key) => ({ key, value: bytes('1') })),
    }),
  delete: (dapr, storeName) => dapr.deleteState({ storeName, key: 'k' }),
  'delete two': (dapr, storeName) =>
    dapr.deleteBulkState({ storeName, states: [{ key: 'a' }, { key: 'b' }] }),
  'get bulk': (dapr, storeName) => dapr.getBulkState({ storeName, keys: ['a', 'b'] }),
  transact: (dapr, storeName) =>
    dapr.executeStateTransaction({
      storeName,
      operations: [{ operationType: 'upsert', request: { key: 'k', value: bytes('1') } }],
    }),
  query: (dapr, storeName) => dapr.queryStateAlpha1({ storeName, query: QUERY }),
  secret: (dapr, storeName) => dapr.getSecret({ storeName, key: 'key' }),
  secrets: (dapr, storeName) => dapr.getBulkSecret({ storeName }),
  invoke: (dapr, name) => dapr.invokeBinding({ name, operation: 'create' }),
  publish: (dapr, pubsubName) =>
    dapr.publishEvent({ pubsubName, topic: 'topic', data: bytes('1') }),
  'publish bulk': (dapr, pubsubName) =>
    dapr.bulkPublishEvent({
      pubsubName,
      topic: 'topic',
      entries: ENTRIES.map((one) => ({ ...one, event: bytes(one.event) })),
    }),
  config: (dapr, storeName) => dapr.getConfiguration({ storeName, keys: ['k'] }),
  lock: (dapr, storeName) =>
    dapr.tryLockAlpha1({ storeName, resourceId: 'r', lockOwner: 'me', expiryInSeconds: 60 }),
  unlock: (dapr, storeName) => dapr.unlockAlpha1({ storeName, resourceId: 'r', lockOwner: 'me' }),
};

/** Answers in one line: the status or gRPC code; where it is an error, its code and words, the component's name as NAME. */
export function componentApi(ports: { readonly http: number; readonly grpc: number }): Ask {
  const client = daprClient(ports.grpc);
  return async (call, component) => {
    const rpc = /^grpc (.*)$/.exec(call)?.[1];
    const said =
      rpc === undefined
        ? await overHttp(ports.http, HTTP[call]!(component))
        : await overGrpc(() => RPC[rpc]!(client, component));
    return said.replaceAll(component, 'NAME');
  };
}

async function overHttp(port: number, [method, path, body]: HttpCall): Promise<string> {
  const answer = await fetch(`http://127.0.0.1:${port}/v1.0/${path}`, {
    method,
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  if (answer.ok) return String(answer.status);
  const { errorCode, message, failedEntries } = JSON.parse(text);
  if (failedEntries !== undefined) {
    const [{ error }] = failedEntries;
    return `${answer.status} ${errorCode} ${failedEntries.length} × ${error}`;
  }
  return `${answer.status} ${errorCode} ${message}`;
}

async function overGrpc(call: () => Promise<object>): Promise<string> {
  try {
    const answer = (await call()) as { readonly failedEntries?: readonly { error: string }[] };
    const failed = answer.failedEntries ?? [];
    return failed.length === 0 ? 'OK' : `OK ${failed.length} × ${failed[0]!.error}`;
  } catch (thrown) {
    const { code, rawMessage } = ConnectError.from(thrown);
    return `${code} ${rawMessage}`;
  }
}

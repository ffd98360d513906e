import type { LiveSpan } from '@holdfast/telemetry/trace';

/** What a call of the gRPC API is about, by its message; calls that Dapr says no more of are left out. */
const ABOUT: Readonly<Record<string, 'state' | 'secrets' | 'bindings' | 'pubsub'>> = {
  GetState: 'state',
  SaveState: 'state',
  DeleteState: 'state',
  GetSecret: 'secrets',
  InvokeBinding: 'bindings',
  PublishEvent: 'pubsub',
  BulkPublishEvent: 'pubsub',
  BulkPublishEventAlpha1: 'pubsub',
};

/** Fields of those messages. */
interface Named {
  readonly name?: string;
  readonly storeName?: string;
  readonly topic?: string;
}

/** Says of a call of the gRPC API what Dapr says of it. `message` is undefined in a stream. */
export function describeRpcSpan(
  span: LiveSpan,
  path: string,
  metadata: Iterable<readonly [name: string, value: string]>,
  message: object | undefined,
): void {
  showMetadata(span, metadata);
  span.set('dapr.protocol', 'grpc');
  span.set('dapr.api', path);
  const about = ABOUT[path.slice(path.lastIndexOf('/') + 1)];
  if (about === undefined || message === undefined) return;
  span.set('rpc.service', 'Dapr');
  const { name, storeName = name, topic }: Named = message;
  if (about === 'pubsub') {
    span.set('messaging.system', about);
    if (topic) span.set('messaging.destination.name', topic);
    return;
  }
  if (storeName) span.set('db.name', storeName);
  span.set('db.system', about);
  span.set('db.statement', path);
  span.set('db.connection_string', about);
}

/** A client's metadata are shown where they begin with `dapr-`, for whoever looks at the span; its token is nobody's business. */
export function showMetadata(
  span: LiveSpan,
  metadata: Iterable<readonly [name: string, value: string]>,
): void {
  for (const [name, value] of metadata) {
    if (/^dapr-(?!api-token$)(?!.*-bin$)/.test(name)) span.set(name, value);
  }
}

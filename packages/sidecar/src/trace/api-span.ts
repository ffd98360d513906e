import type { LiveSpan } from '@holdfast/telemetry/trace';
import { withoutCredentials } from '../flow/headers/without-credentials.ts';
import { goStatusText } from '../server/go-status-text.ts';
import type { RequestHead } from '../server/request-head.ts';

/** Groups of the API whose spans describe a call of a store, by the second segment of the path. */
const STORES: Readonly<Record<string, string>> = {
  state: 'state',
  secrets: 'secrets',
  bindings: 'bindings',
};

/** Says of an API call what Dapr says of it. */
export function describeApiSpan(
  span: LiveSpan,
  head: RequestHead,
  client: { readonly address: string | undefined; readonly port: number | undefined },
): void {
  const path = withoutCredentials(head.path);
  const api = `${head.method} ${path}`;
  span.set('dapr.protocol', 'http');
  span.set('dapr.api', api);
  span.set('http.request.method', head.method);
  span.set('url.full', path + head.query);
  // The client's, where a server would say its own: so does Dapr, and dashboards show it.
  if (client.address !== undefined) span.set('server.address', client.address);
  if (client.port !== undefined) span.set('server.port', String(client.port));
  for (let at = 0; at + 1 < head.headers.length; at += 2) {
    const name = head.headers[at]!;
    if (name.startsWith('dapr-')) span.set(name, withoutCredentials(head.headers[at + 1]!));
  }
  const [, , group = '', name = ''] = head.path.split('/');
  const system = STORES[group];
  if (system !== undefined) {
    span.set('db.system', system);
    span.set('db.name', name);
    span.set('db.statement', api);
    span.set('db.connection_string', system);
  } else if (group === 'publish') {
    span.set('messaging.system', 'pubsub');
    // Dapr leaves the topic out by mistake (the attribute it reads no longer exists).
    const [, topic = ''] = /^\/[^/]+\/publish\/(?:bulk\/)?[^/]*\/(.*)$/.exec(head.path) ?? [];
    if (topic !== '') span.set('messaging.destination.name', topic);
  }
}

/** The API call is an invocation of `method` at `appId`. */
export function nameInvocation(span: LiveSpan, appId: string, method: string): void {
  const whom = withoutCredentials(appId);
  span.name = `CallLocal/${whom}/${method}`;
  span.set('rpc.service', 'ServiceInvocation');
  span.set('net.peer.name', whom);
}

/** Ends an API call's span with the status of its answer. */
export function endApiSpan(span: LiveSpan, status: number): void {
  span.set('dapr.status_code', String(status));
  span.end(httpFault(status));
}

/** What a span says of an HTTP status that is an error. */
export const httpFault = (status: number): string | undefined =>
  status >= 400 ? `Code(${status}): ${goStatusText(status) || 'Unknown'}` : undefined;

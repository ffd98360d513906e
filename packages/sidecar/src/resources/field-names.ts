import { isRecord } from './resource-files.ts';

/** Names of a map's fields, and what is in them; an empty one is left as it is. */
interface Fields {
  readonly [name: string]: Fields;
}

const VALUE: Fields = { name: {}, value: {}, secretKeyRef: { name: {}, key: {} }, envRef: {} };
const RESOURCE: Fields = {
  apiVersion: {},
  kind: {},
  metadata: { name: {}, namespace: {} },
  auth: { secretStore: {} },
  scopes: {},
};

/** Of each kind of resource, in lists too: what the resources of Dapr have, and no more. */
const KINDS: Readonly<Record<string, Fields>> = {
  Component: {
    ...RESOURCE,
    spec: { type: {}, version: {}, ignoreErrors: {}, initTimeout: {}, metadata: VALUE },
  },
  HTTPEndpoint: {
    ...RESOURCE,
    spec: {
      baseUrl: {},
      headers: VALUE,
      clientTLS: { rootCA: VALUE, certificate: VALUE, privateKey: VALUE, renegotiation: {} },
    },
  },
  Subscription: {
    ...RESOURCE,
    spec: {
      topic: {},
      pubsubname: {},
      // Its names are the subscriber's own.
      metadata: {},
      route: {},
      routes: { rules: { match: {}, path: {} }, default: {} },
      bulkSubscribe: { enabled: {}, maxMessagesCount: {}, maxAwaitDurationMs: {} },
      deadLetterTopic: {},
    },
  },
};

/**
 * The document of a resource with its fields named as Dapr names them, whatever the case they are
 * written in (`baseURL`): Go reads them so, and files that work there stand in the world. A field
 * that is also there as it should be wins.
 */
export function withFieldNames(document: Readonly<Record<string, unknown>>, kind: string) {
  const fields = KINDS[kind];
  return fields === undefined ? document : (named(document, fields) as typeof document);
}

function named(given: unknown, fields: Fields): unknown {
  if (Array.isArray(given)) return given.map((one) => named(one, fields));
  if (!isRecord(given)) return given;
  const right = Object.keys(fields);
  if (right.length === 0) return given;
  const result: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(given)) {
    const lower = key.toLowerCase();
    const name = right.find((one) => one.toLowerCase() === lower);
    if (name !== undefined && name !== key && name in given) continue;
    result[name ?? key] = name === undefined ? value : named(value, fields[name]!);
  }
  return result;
}

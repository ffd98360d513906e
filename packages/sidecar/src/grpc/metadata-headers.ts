import { isHopByHop } from '../flow/hop-by-hop.ts';

/** Of gRPC's own framing, or ours to set. */
const OURS = new Set([
  'content-type',
  'content-length',
  'dapr-api-token',
  'dapr-app-id',
  'dapr-callee-app-id',
  'dapr-caller-app-id',
  'dapr-caller-namespace',
  'destination-app-id',
  'traceparent',
  'tracestate',
]);

/** What a gRPC client's metadata are as headers of an HTTP call; binary ones have no such form. */
export function metadataHeaders(metadata: Headers): {
  readonly headers: string[];
  readonly apiToken: string | undefined;
} {
  const headers: string[] = [];
  for (const [name, value] of metadata) {
    if (OURS.has(name) || isHopByHop(name) || name.endsWith('-bin')) continue;
    headers.push(name.startsWith('grpc-') ? `dapr-${name}` : name, value);
  }
  return { headers, apiToken: metadata.get('dapr-api-token') ?? undefined };
}

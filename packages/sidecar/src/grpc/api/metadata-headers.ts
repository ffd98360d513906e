import { RPC_BYTES, RPC_METHOD } from '../../app/rpc-answer.ts';
import { isHopByHop } from '../../flow/headers/hop-by-hop.ts';

/** Of gRPC's own framing, or ours to set. */
const OURS = new Set([
  'content-type',
  'content-length',
  'grpc-encoding',
  'grpc-message',
  'grpc-message-type',
  'grpc-status',
  'grpc-timeout',
  'dapr-api-token',
  'dapr-app-id',
  'dapr-callee-app-id',
  'dapr-caller-app-id',
  'dapr-caller-namespace',
  'destination-app-id',
  RPC_METHOD,
  'traceparent',
  'tracestate',
]);

/** What a gRPC client's metadata (`name, value, …`) are as headers of an HTTP call; bytes stay what they are in gRPC: Base64. */
export function metadataHeaders(metadata: readonly string[]): {
  readonly headers: string[];
  readonly apiToken: string | undefined;
} {
  const headers: string[] = [];
  let apiToken: string | undefined;
  let bytes = false;
  for (let at = 0; at + 1 < metadata.length; at += 2) {
    const name = metadata[at]!;
    const value = metadata[at + 1]!;
    if (name === 'dapr-api-token') apiToken = value;
    if (OURS.has(name) || name.startsWith(':') || isHopByHop(name)) continue;
    if (name.endsWith('-bin')) {
      // gRPC's own are for this leg.
      if (name.startsWith('grpc-')) continue;
      bytes = true;
    }
    headers.push(name.startsWith('grpc-') ? `dapr-${name}` : name, value);
  }
  if (bytes) headers.push(RPC_BYTES, 'true');
  return { headers, apiToken };
}

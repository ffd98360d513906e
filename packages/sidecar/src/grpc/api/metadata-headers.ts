import { RPC_BYTES, RPC_METHOD } from '../../app/rpc-answer.ts';
import { isHopByHop } from '../../flow/hop-by-hop.ts';

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

/** What a gRPC client's metadata are as headers of an HTTP call; bytes stay what they are in gRPC: Base64. */
export function metadataHeaders(metadata: Headers): {
  readonly headers: string[];
  readonly apiToken: string | undefined;
} {
  const headers: string[] = [];
  let bytes = false;
  for (const [name, value] of metadata) {
    if (OURS.has(name) || isHopByHop(name)) continue;
    if (name.endsWith('-bin')) {
      // gRPC's own are for this leg.
      if (name.startsWith('grpc-')) continue;
      bytes = true;
    }
    headers.push(name.startsWith('grpc-') ? `dapr-${name}` : name, value);
  }
  if (bytes) headers.push(RPC_BYTES, 'true');
  return { headers, apiToken: metadata.get('dapr-api-token') ?? undefined };
}

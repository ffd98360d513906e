import { canonicalName } from './canonical-name.ts';

/**
 * An answer's headers as daprd gives them to HTTP clients: in Go's spelling, gRPC's own with Dapr's prefix, lest a
 * client takes them for those of the call, and binary ones stay behind. `headers` is `name, value, …` in lower
 * case, and changed.
 */
export function httpHeaders(headers: string[]): string[] {
  let sent = headers;
  for (let at = 0; at + 1 < headers.length; at += 2) {
    if (!isOfGrpc(headers[at]!)) continue;
    sent = renamed(headers);
    break;
  }
  for (let at = 0; at + 1 < sent.length; at += 2) sent[at] = canonicalName(sent[at]!);
  return sent;
}

const isOfGrpc = (name: string): boolean => name.startsWith('grpc-') || name.endsWith('-bin');

function renamed(headers: readonly string[]): string[] {
  const kept: string[] = [];
  for (let at = 0; at + 1 < headers.length; at += 2) {
    const name = headers[at]!;
    if (name.endsWith('-bin')) continue;
    kept.push(name.startsWith('grpc-') ? `dapr-${name}` : name, headers[at + 1]!);
  }
  return kept;
}

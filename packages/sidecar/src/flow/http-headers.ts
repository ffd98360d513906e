/**
 * An answer's headers as daprd gives them to HTTP clients: gRPC's own have its prefix, lest a
 * client takes them for those of the call, and binary ones stay behind. `headers` is `name, value, …`.
 */
export function httpHeaders(headers: string[]): string[] {
  for (let at = 0; at + 1 < headers.length; at += 2) {
    if (isOfGrpc(headers[at]!)) return renamed(headers);
  }
  return headers;
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

/**
 * Headers that speak of one connection only (RFC 9110 §7.6.1). `host` and
 * `expect` are not in the RFC's list, but are made anew on each leg as well.
 */
const HOP_BY_HOP = new Set([
  'connection',
  'expect',
  'host',
  'http2-settings',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

export function isHopByHop(lowerCaseName: string): boolean {
  return HOP_BY_HOP.has(lowerCaseName);
}

/** The header names that a `Connection` value makes hop-by-hop, with those of others before it; undefined for the usual values. */
export function nominatedNames(connection: string, before?: Set<string>): Set<string> | undefined {
  const value = connection.toLowerCase();
  if (value === 'keep-alive' || value === 'close') return before;
  const names = value.split(',').map((name) => name.trim());
  return new Set(before === undefined ? names : [...before, ...names]);
}

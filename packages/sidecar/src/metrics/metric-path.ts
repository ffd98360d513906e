/**
 * A request's path as its metrics show it: keys of stores are cut off, as in
 * Dapr, for there is no end to them.
 */
export function metricPath(path: string): string {
  if (path.startsWith('/v1.0/invoke/')) return path;
  const match = /^(\/v1\.0(?:-alpha1)?\/(?:state|secrets|metadata)(?:\/[^/]+)?)(?:\/.*)?$/.exec(
    path,
  );
  if (match === null) return path;
  return path.startsWith('/v1.0/metadata') ? '/v1.0/metadata' : match[1]!;
}

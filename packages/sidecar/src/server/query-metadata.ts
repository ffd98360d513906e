const PREFIX = 'metadata.';

/** What the query says as `metadata.X=…`, by X; of several the first, as in Dapr. */
export function queryMetadata(query: string): Readonly<Record<string, string>> {
  if (query === '') return {};
  const entries = [...new URLSearchParams(query)].filter(([name]) => name.startsWith(PREFIX));
  // Backwards, so that the first is the last to be put in.
  return Object.fromEntries(
    entries.reverse().map(([name, value]) => [name.slice(PREFIX.length), value]),
  );
}

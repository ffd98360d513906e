const PREFIX = 'metadata.';

/** What the query says as `metadata.X=…`, by X. */
export function queryMetadata(query: string): Readonly<Record<string, string>> {
  if (query === '') return {};
  const entries = [...new URLSearchParams(query)].filter(([name]) => name.startsWith(PREFIX));
  return Object.fromEntries(entries.map(([name, value]) => [name.slice(PREFIX.length), value]));
}

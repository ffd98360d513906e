/** Spellings by the name in lower case; a process meets few names, and each of them with every call. */
const spellings = new Map<string, string>();
const SPELLINGS_LIMIT = 512;

/**
 * `x-request-id` as `X-Request-Id`: so daprd writes names to HTTP/1.1, and clients whose dictionaries know one
 * spelling (the Python SDK's `response.headers`) look for that. Remembers the names seen first, and stays bounded.
 */
export function canonicalName(lower: string): string {
  const known = spellings.get(lower);
  if (known !== undefined) return known;
  const spelling = lower.replace(/(?:^|-)[a-z]/g, (first) => first.toUpperCase());
  if (spellings.size < SPELLINGS_LIMIT && lower.length <= 64) spellings.set(lower, spelling);
  return spelling;
}

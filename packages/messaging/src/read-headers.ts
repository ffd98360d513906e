/**
 * Headers as somebody wrote them into a broker, as JSON: this version, a newer one, or another program. What is no text
 * is JSON; what cannot be read is left out, for a message with headers that nobody can read is a message all the same.
 */
export function readHeaders(text: string | undefined): Record<string, string> {
  if (text === undefined || text === '') return {};
  let read: unknown;
  try {
    read = JSON.parse(text);
  } catch {
    return {};
  }
  if (typeof read !== 'object' || read === null || Array.isArray(read)) return {};
  return Object.fromEntries(
    Object.entries(read).map(([name, value]) => [
      name,
      typeof value === 'string' ? value : JSON.stringify(value),
    ]),
  );
}

/**
 * A segment of a path without its escapes; bytes that are no UTF-8 stay as they were written, so that no two become one.
 *
 * A `+` is a blank, as in Dapr, which reads the names in a path as those of a query. One that is meant is written `%2B`.
 */
export function decodeSegment(segment: string): string {
  const written = segment.replaceAll('+', ' ');
  if (!written.includes('%')) return written;
  try {
    return decodeURIComponent(written);
  } catch {
    return written;
  }
}

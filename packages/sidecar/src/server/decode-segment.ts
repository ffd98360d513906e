/** A segment of a path without its escapes; bytes that are no UTF-8 stay as they were written, so that no two become one. */
export function decodeSegment(segment: string): string {
  if (!segment.includes('%')) return segment;
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

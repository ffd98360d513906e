/** A text without its percent escapes; as it was written where they are none, or bytes that are no UTF-8. */
export function unescaped(text: string): string {
  if (!text.includes('%')) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

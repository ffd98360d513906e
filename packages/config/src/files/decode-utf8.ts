/** The text of a UTF-8 file without its byte order mark, or where it stops being UTF-8. */
export function decodeUtf8(
  bytes: Uint8Array,
):
  | { readonly text: string }
  | { readonly line: number; readonly column: number; readonly hint: string } {
  try {
    return { text: new TextDecoder('utf-8', { fatal: true }).decode(bytes) };
  } catch {
    // Not UTF-8; the lines below find out where, once, on the way to a message.
  }
  let line = 1;
  for (let start = 0; start <= bytes.length; line += 1) {
    const newline = bytes.indexOf(0x0a, start);
    const end = newline === -1 ? bytes.length : newline + 1;
    const column = firstInvalid(bytes.subarray(start, end));
    if (column !== undefined) return { line, column, hint: hintOf(bytes) };
    start = end;
  }
  throw new Error('unreachable: the whole is not UTF-8 though each of its lines is');
}

/** The column, from 1, of the first character that is not UTF-8. */
function firstInvalid(line: Uint8Array): number | undefined {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  let column = 1;
  for (let at = 0; at < line.length; at += 1) {
    try {
      column += decoder.decode(line.subarray(at, at + 1), { stream: true }).length;
    } catch {
      return column;
    }
  }
  try {
    decoder.decode();
    return undefined;
  } catch {
    return column;
  }
}

function hintOf(bytes: Uint8Array): string {
  const [first, second] = bytes;
  const utf16 = (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff);
  return utf16 ? 'it looks like UTF-16' : 'it may be Latin-1';
}

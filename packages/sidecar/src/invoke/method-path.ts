/** What a method path became: clean, or why it is refused, in Dapr's words. */
export type MethodPath =
  | { readonly path: string }
  | { readonly refused: string; readonly status: 400 | 500 };

// Anything but unreserved and the delimiters that mean nothing to us; `%` starts an escape.
const PLAIN = /^[A-Za-z0-9._~!$&'()*+,;=:@/-]*$/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for.
const CONTROL = /[\u0000-\u001f\u007f]/;
/** A segment that holds escaped slashes and, between them, `.` or `..`. */
const HIDDEN_DOTS = /(?:^|\/)\.{1,2}\/|\/\.{1,2}$/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: as above.
const QUOTED = /[\u0000-\u001f\u007f"\\]/g;

/**
 * Cleans the method part of an invocation: no `.`, `..` or empty segments, no
 * slash at either end, as Go's `path.Clean`. An escaped dot is a dot; an escaped
 * slash stays escaped, for only the application knows what it means (daprd turns
 * it into a slash). Characters that would end or change the path are refused.
 */
export function cleanMethodPath(raw: string): MethodPath {
  if (PLAIN.test(raw) && !raw.includes('//') && !raw.includes('/.') && raw[0] !== '.') {
    return { path: trimSlashes(raw) };
  }
  return cleanSegments(raw, forbidden);
}

/** `refusal` says of a segment without its escapes why it cannot be. */
export function cleanSegments(
  raw: string,
  refusal: (text: string) => string | undefined,
): MethodPath {
  const segments: string[] = [];
  for (const segment of raw.split('/')) {
    const text = decode(segment);
    if (text === undefined) return { refused: `invalid URL escape in "${raw}"`, status: 400 };
    const why = refusal(text);
    if (why !== undefined) return { refused: why, status: 500 };
    if (text === '..') segments.pop();
    else if (HIDDEN_DOTS.test(text)) resolve(text, segments);
    else if (text !== '.' && text !== '') segments.push(encode(segment));
  }
  return { path: segments.join('/') };
}

/**
 * `..%2fb`: whoever decodes it further on would leave the path it was put under
 * (an HTTPEndpoint's, say), so it is resolved here, as daprd does.
 */
function resolve(text: string, segments: string[]): void {
  for (const part of text.split('/')) {
    if (part === '..') segments.pop();
    else if (part !== '.' && part !== '') segments.push(encodeURIComponent(part));
  }
}

function trimSlashes(path: string): string {
  const from = path[0] === '/' ? 1 : 0;
  const to = path.length > from && path.endsWith('/') ? path.length - 1 : path.length;
  return from === 0 && to === path.length ? path : path.slice(from, to);
}

function decode(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment);
  } catch {
    // Either a broken escape, or bytes that are no UTF-8: those may pass as they are.
    return /%(?![0-9A-Fa-f]{2})/.test(segment) ? undefined : decodeBytes(segment);
  }
}

function decodeBytes(segment: string): string {
  return segment.replace(/%([0-9A-Fa-f]{2})/g, (_, hex) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
}

/** Why a name of a method cannot be one, in Dapr's words. */
export function forbidden(text: string): string | undefined {
  if (/[#?\0]/.test(text)) {
    return `invalid method: method contains forbidden character: ${quote(text)}`;
  }
  const at = text.search(CONTROL);
  if (at === -1) return undefined;
  return `invalid method: method contains control character at position ${at}: ${quote(text)}`;
}

/** Escapes what a URL may not hold; leaves escapes as they were written. */
function encode(segment: string): string {
  return segment.replace(/[^A-Za-z0-9._~!$&'()*+,;=:@%[\]-]/g, (char) =>
    char.charCodeAt(0) < 0x100
      ? `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`
      : encodeURIComponent(char),
  );
}

/** As Go's `%q` for what occurs here. */
function quote(text: string): string {
  const body = text.replace(QUOTED, (char) => {
    if (char === '"' || char === '\\') return `\\${char}`;
    const short = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }[char];
    return short ?? `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`;
  });
  return `"${body}"`;
}

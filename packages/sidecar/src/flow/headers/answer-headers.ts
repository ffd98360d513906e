import { isHopByHop, nominatedNames } from './hop-by-hop.ts';

/** Lower-case names by their bytes' latin1 text, so that each spelling is lowered once. */
const lowered = new Map<string, string>();
const LOWERED_LIMIT = 512;

/** `name` in lower case; remembers the spellings seen first, forgets none, stays bounded. */
export function lowerName(name: string): string {
  const known = lowered.get(name);
  if (known !== undefined) return known;
  const lower = name.toLowerCase();
  if (lowered.size < LOWERED_LIMIT && name.length <= 64) lowered.set(name, lower);
  return lower;
}

/** What is taken from the head of an answer. */
export interface AnswerHeaders {
  /** The end-to-end ones. */
  readonly headers: string[];
  /** The declared length of the body; -1 if it declares none. */
  readonly length: number;
  /** `Keep-Alive`: how long the other side keeps its connection, if it says so. */
  readonly keepAlive: string | undefined;
}

/** `raw` is `name, value, …` as they came. */
export function answerHeaders(raw: readonly string[]): AnswerHeaders {
  const headers: string[] = [];
  let length = -1;
  let keepAlive: string | undefined;
  let nominated: Set<string> | undefined;
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const name = lowerName(raw[at]!);
    const value = withoutEnd(raw[at + 1]!);
    if (name === 'content-length') length = Number(value);
    else if (name === 'connection') nominated = nominatedNames(value, nominated);
    else if (name === 'keep-alive') keepAlive = value;
    if (!isHopByHop(name)) headers.push(name, value);
  }
  const endToEnd = nominated === undefined ? headers : without(headers, nominated);
  return { headers: endToEnd, length, keepAlive };
}

/** Less the blanks at its end, which belong to the line (RFC 9112 §5.1); parsers leave them standing. */
function withoutEnd(value: string): string {
  const last = value.charCodeAt(value.length - 1);
  return last === 0x20 || last === 0x09 ? value.replace(/[ \t]+$/, '') : value;
}

/** `headers` less those in `names`. */
export function without(
  headers: readonly string[],
  names: Pick<ReadonlySet<string>, 'has'>,
): string[] {
  return headers.filter((_, at) => !names.has(headers[at & ~1]!));
}

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

/**
 * The end-to-end headers of an answer as undici hands them over, and the
 * declared length of its body (-1 if it declares none).
 */
export function answerHeaders(raw: readonly Buffer[]): { headers: string[]; length: number } {
  const headers: string[] = [];
  let length = -1;
  let nominated: Set<string> | undefined;
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const name = lowerName(raw[at]!.toString('latin1'));
    const value = raw[at + 1]!.toString('latin1');
    if (name === 'content-length') length = Number(value);
    else if (name === 'connection') nominated = nominatedNames(value);
    if (!isHopByHop(name)) headers.push(name, value);
  }
  return { headers: nominated === undefined ? headers : without(headers, nominated), length };
}

/** `headers` less those in `names`. */
export function without(headers: readonly string[], names: ReadonlySet<string>): string[] {
  return headers.filter((_, at) => !names.has(headers[at & ~1]!));
}

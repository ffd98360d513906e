/** What Go finds on reading a text as JSON: where its first value ends, or what is wrong. */
export type Finding =
  | { readonly kind: 'value'; readonly end: number }
  /** The text ends before its value does. */
  | { readonly kind: 'cut' }
  | { readonly kind: 'fault'; readonly message: string };

const SPACE = new Set([' ', '\t', '\r', '\n']);
const LITERALS: Readonly<Record<string, string>> = { t: 'true', f: 'false', n: 'null' };

/** Deeper than this is no JSON to Go. */
const DEEPEST = 10_000;
const TOO_DEEP = 'exceeded max depth';

/**
 * Reads the first value of a text as Go's scanner does, for its words when there is none. Slow and
 * exact: only a text that `JSON.parse` refuses comes here.
 */
export function findFault(text: string): Finding {
  try {
    const start = pastSpace(text, 0);
    return { kind: 'value', end: pastValue(text, start, 0) };
  } catch (thrown) {
    if (thrown instanceof Cut) return { kind: 'cut' };
    if (thrown instanceof Fault) return { kind: 'fault', message: thrown.message };
    // Nested until our stack was at its end, which is long before a body is too large.
    if (thrown instanceof RangeError) return { kind: 'fault', message: TOO_DEEP };
    throw thrown;
  }
}

/** What Go says of what follows the value, where nothing may. */
export function strayAfter(text: string, end: number): string | undefined {
  const at = pastSpaceOrEnd(text, end);
  return at === text.length ? undefined : invalid(text, at, 'after top-level value');
}

class Cut extends Error {}
class Fault extends Error {}

function pastValue(text: string, at: number, depth: number): number {
  const first = charAt(text, at);
  if (first === '{') return pastObject(text, at + 1, depth + 1);
  if (first === '[') return pastArray(text, at + 1, depth + 1);
  if (first === '"') return pastString(text, at + 1);
  if (first === '-' || isDigit(first)) return pastNumber(text, at);
  const literal = LITERALS[first];
  if (literal !== undefined) return pastLiteral(text, at, literal);
  throw fault(text, at, 'looking for beginning of value');
}

function pastObject(text: string, from: number, depth: number): number {
  checkDepth(depth);
  let at = pastSpace(text, from);
  if (charAt(text, at) === '}') return at + 1;
  for (;;) {
    if (charAt(text, at) !== '"')
      throw fault(text, at, 'looking for beginning of object key string');
    at = pastSpace(text, pastString(text, at + 1));
    if (charAt(text, at) !== ':') throw fault(text, at, 'after object key');
    at = pastSpace(text, pastValue(text, pastSpace(text, at + 1), depth));
    const next = charAt(text, at);
    if (next === '}') return at + 1;
    if (next !== ',') throw fault(text, at, 'after object key:value pair');
    at = pastSpace(text, at + 1);
  }
}

function pastArray(text: string, from: number, depth: number): number {
  checkDepth(depth);
  let at = pastSpace(text, from);
  if (charAt(text, at) === ']') return at + 1;
  for (;;) {
    at = pastSpace(text, pastValue(text, at, depth));
    const next = charAt(text, at);
    if (next === ']') return at + 1;
    if (next !== ',') throw fault(text, at, 'after array element');
    at = pastSpace(text, at + 1);
  }
}

function pastString(text: string, from: number): number {
  for (let at = from; ; at += 1) {
    const char = charAt(text, at);
    if (char === '"') return at + 1;
    if (char < ' ') throw fault(text, at, 'in string literal');
    if (char !== '\\') continue;
    at += 1;
    const letter = charAt(text, at);
    if (letter === 'u') {
      for (let digit = 0; digit < 4; digit += 1) {
        at += 1;
        if (!/[\da-fA-F]/.test(charAt(text, at))) {
          throw fault(text, at, 'in \\u hexadecimal character escape');
        }
      }
    } else if (!'bfnrt\\/"'.includes(letter)) throw fault(text, at, 'in string escape code');
  }
}

function pastNumber(text: string, from: number): number {
  let at = from;
  if (text[at] === '-') {
    at += 1;
    if (!isDigit(charAt(text, at))) throw fault(text, at, 'in numeric literal');
  }
  at = text[at] === '0' ? at + 1 : pastDigits(text, at);
  if (text[at] === '.') {
    at += 1;
    if (!isDigit(charAt(text, at))) throw fault(text, at, 'after decimal point in numeric literal');
    at = pastDigits(text, at);
  }
  if (text[at] !== 'e' && text[at] !== 'E') return at;
  at += 1;
  const sign = charAt(text, at);
  if (sign === '+' || sign === '-') at += 1;
  if (!isDigit(charAt(text, at))) throw fault(text, at, 'in exponent of numeric literal');
  return pastDigits(text, at);
}

function pastDigits(text: string, from: number): number {
  let at = from;
  while (isDigit(text[at])) at += 1;
  return at;
}

function pastLiteral(text: string, from: number, literal: string): number {
  for (let at = 1; at < literal.length; at += 1) {
    if (charAt(text, from + at) !== literal[at]) {
      throw fault(text, from + at, `in literal ${literal} (expecting '${literal[at]}')`);
    }
  }
  return from + literal.length;
}

function pastSpace(text: string, from: number): number {
  const at = pastSpaceOrEnd(text, from);
  charAt(text, at);
  return at;
}

function pastSpaceOrEnd(text: string, from: number): number {
  let at = from;
  while (SPACE.has(text[at] ?? '')) at += 1;
  return at;
}

function charAt(text: string, at: number): string {
  const char = text[at];
  if (char === undefined) throw new Cut();
  return char;
}

function checkDepth(depth: number): void {
  if (depth > DEEPEST) throw new Fault(TOO_DEEP);
}

const isDigit = (char: string | undefined): boolean =>
  char !== undefined && char >= '0' && char <= '9';

const fault = (text: string, at: number, where: string): Fault =>
  new Fault(invalid(text, at, where));

const invalid = (text: string, at: number, where: string): string =>
  `invalid character ${quoted(text[at]!)} ${where}`;

/** A character as Go shows it: of one that needs several bytes, the first of them. */
function quoted(char: string): string {
  if (char === "'") return "'\\''";
  if (char === '"') return `'"'`;
  const first = String.fromCharCode(Buffer.from(char)[0] ?? 0);
  const short: Readonly<Record<string, string>> = {
    '\\': '\\\\',
    '\n': '\\n',
    '\r': '\\r',
    '\t': '\\t',
    '\b': '\\b',
    '\f': '\\f',
    '\v': '\\v',
    '\x07': '\\a',
  };
  const code = first.charCodeAt(0);
  const hex = code < 0x20 || code === 0x7f ? `\\x${code.toString(16).padStart(2, '0')}` : first;
  return `'${short[first] ?? hex}'`;
}

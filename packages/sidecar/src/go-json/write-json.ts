import { WrittenNumber } from './exact-numbers.ts';

/**
 * JSON as Go's `encoding/json` writes what it has read: names in order, and nothing in it that HTML
 * would take for its own. What Dapr hands on (a value of a state store, an event) looks like this,
 * so programs that compare bytes see the same through both.
 */
export function writeJson(value: unknown): string {
  if (typeof value === 'string') return text(value);
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  if (value instanceof WrittenNumber) return value.source;
  if (Array.isArray(value)) return `[${value.map(writeJson).join(',')}]`;
  return writeMap(value as Readonly<Record<string, unknown>>, writeJson);
}

/** The same of a map whose values somebody else writes; those that are `undefined` are left out. */
export function writeMap<T>(map: Readonly<Record<string, T>>, write: (value: T) => string): string {
  const members: string[] = [];
  for (const name of Object.keys(map).sort()) {
    const one = map[name];
    if (one !== undefined) members.push(`${text(name)}:${write(one)}`);
  }
  return `{${members.join(',')}}`;
}

/** The same of what is a struct in Go: names, also of what is in it, stay in the order they stand in. */
export function writeStruct(value: unknown): string {
  return withoutHtml(JSON.stringify(value));
}

/** JSON that somebody else wrote, as Go's encoder hands it on: nothing between the tokens, and no HTML. */
export function compactJson(json: string): string {
  const tight = SPACE.test(json) ? json.replaceAll(TEXT_OR_SPACE, onlyText) : json;
  return withoutHtml(tight);
}

const SPACE = /[ \t\r\n]/;
const TEXT_OR_SPACE = /"(?:[^"\\]|\\.)*"|[ \t\r\n]+/g;
const onlyText = (token: string): string => (token.startsWith('"') ? token : '');

const SPECIAL = /[<>&\u2028\u2029]/;
const ALL_SPECIAL = /[<>&\u2028\u2029]/g;

/** Nothing to escape: names and most short texts. To see it takes a third of what writing them takes. */
const PLAIN = /^[ !#-%'-;=?-[\]-~]*$/;
const SHORT = 256;

function text(value: string): string {
  if (value.length < SHORT && PLAIN.test(value)) return `"${value}"`;
  return withoutHtml(JSON.stringify(value.isWellFormed() ? value : value.toWellFormed()));
}

/** They can only be in its texts. */
const withoutHtml = (json: string): string =>
  SPECIAL.test(json) ? json.replaceAll(ALL_SPECIAL, escaped) : json;

const escaped = (char: string): string => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`;

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
  const members: string[] = [];
  for (const name of Object.keys(value).sort()) {
    const one = (value as Readonly<Record<string, unknown>>)[name];
    if (one !== undefined) members.push(`${text(name)}:${writeJson(one)}`);
  }
  return `{${members.join(',')}}`;
}

const SPECIAL = /[<>&\u2028\u2029]/;
const ALL_SPECIAL = /[<>&\u2028\u2029]/g;

function text(value: string): string {
  const written = JSON.stringify(value.isWellFormed() ? value : value.toWellFormed());
  return SPECIAL.test(written) ? written.replaceAll(ALL_SPECIAL, escaped) : written;
}

const escaped = (char: string): string => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`;

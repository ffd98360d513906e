import { isMap, isScalar, isSeq, type Node } from 'yaml';
import type { Key } from './keys.ts';
import type { Report } from './parse-run-file.ts';

/** Longest wait a run file may ask for: a day. */
const LONGEST_MS = 86_400_000;

/**
 * The value of one key as plain data, or undefined when it is absent or wrong;
 * what is wrong has then been reported where it stands.
 */
export function readValue(
  key: Key,
  node: Node | null,
  absolute: (path: string) => string,
  report: Report,
): unknown {
  const wrong = (rule: string) => {
    report(node ?? undefined, 'wrong-type', `\`${key.name}\` must be ${rule}.`);
    return undefined;
  };
  if (node === null || (isScalar(node) && node.value === null)) {
    return key.required ? wrong('set') : undefined;
  }
  const value = isScalar(node) ? node.value : undefined;
  switch (key.kind) {
    case 'text': {
      if (typeof value !== 'string' && typeof value !== 'number') return wrong('a text');
      const text = String(value);
      if (key.oneOf === undefined) return text;
      // In any letter case, as with flags: Dapr's own examples have `appProtocol: HTTP`.
      const meant = key.oneOf.find((each) => each.toLowerCase() === text.toLowerCase());
      return meant ?? wrong(`${listed(key.oneOf)}, not \`${text}\``);
    }
    case 'boolean':
      return typeof value === 'boolean' ? value : wrong('true or false');
    case 'integer':
      return Number.isSafeInteger(value) ? value : wrong('a whole number');
    case 'milliseconds':
      return isBetween(value, 1, LONGEST_MS) ? value : wrong(`1 to ${LONGEST_MS} milliseconds`);
    case 'port':
      return isBetween(value, -1, 65_535) ? value : wrong('a port from 1 to 65535, or 0 for any');
    case 'path':
      return typeof value === 'string' && value !== '' ? absolute(value) : wrong('a path');
    case 'texts':
      return textsOf(node) ?? wrong('a list of texts');
    case 'paths':
      return pathsOf(node)?.map(absolute) ?? wrong('a list of paths');
    case 'env':
      return mapOf(node, toText) ?? wrong('a mapping of names to texts');
    case 'ports':
      return mapOf(node, toPort) ?? wrong('a mapping of names to ports from 1 to 65535');
    case 'section':
      return isMap(node) ? {} : wrong('a mapping of keys to values');
    case 'list':
      return isSeq(node) ? [] : wrong('a list');
  }
}

function isBetween(value: unknown, min: number, max: number): boolean {
  return Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max;
}

function textsOf(node: Node): string[] | undefined {
  if (!isSeq(node)) return undefined;
  const texts = node.items.map(toText);
  return texts.every((text) => text !== undefined) ? texts : undefined;
}

/** A list, or one text with commas, as Dapr's documentation writes it. */
function pathsOf(node: Node): string[] | undefined {
  const paths =
    isScalar(node) && typeof node.value === 'string'
      ? node.value.split(',').map((path) => path.trim())
      : textsOf(node);
  return paths?.includes('') ? undefined : paths;
}

function mapOf<T>(
  node: Node,
  convert: (item: unknown) => T | undefined,
): Record<string, T> | undefined {
  if (!isMap(node)) return undefined;
  const entries = node.items.map(
    (pair) => [isScalar(pair.key) ? String(pair.key.value) : '', convert(pair.value)] as const,
  );
  if (entries.some(([, value]) => value === undefined)) return undefined;
  return Object.fromEntries(entries) as Record<string, T>;
}

/** Numbers and booleans count as what was written: `PORT: 8080` is the text `8080`. */
function toText(item: unknown): string | undefined {
  if (!isScalar(item) || typeof item.value === 'object') return undefined;
  return typeof item.value === 'string' ? item.value : (item.source ?? String(item.value));
}

function toPort(item: unknown): number | undefined {
  return isScalar(item) && isBetween(item.value, 1, 65_535) ? (item.value as number) : undefined;
}

function listed(words: readonly string[]): string {
  return words.length === 1
    ? `\`${words[0]}\``
    : `one of ${words.map((word) => `\`${word}\``).join(', ')}`;
}

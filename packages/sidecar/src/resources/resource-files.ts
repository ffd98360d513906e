import { readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { decodeUtf8 } from '@holdfast/config';
import { isNode } from 'yaml';
import { parseYaml, type YamlDocument } from './parse-yaml.ts';
import type { Locate } from './place.ts';

/** A YAML document that is a resource, and where it was found. */
export interface Resource {
  readonly file: string;
  /** Of its first key. */
  readonly line: number;
  readonly kind: string;
  /** Read it with `at`, which knows its fields in any letter case. */
  readonly document: Readonly<Record<string, unknown>>;
  /** Where in the file its values stand. */
  readonly locate: Locate;
}

/** A file larger than this is not read; no resource is. */
const MAX_FILE_BYTES = 4 * 1024 * 1024;

/** Who is told what is left out. */
export interface ResourceReader {
  /** Of a file, or of one of its documents: `place` is `file`, or `file:line:column` where that is known. */
  unreadable(place: string, why: string): void;
  /** Of a file without a document. */
  empty(file: string): void;
  /** Of each key that a document has twice, of which the last counts, and of documents that are no resource. */
  remark?(remark: string): void;
}

/**
 * Reads every YAML document under `paths` (files, or folders without their
 * subfolders). A file or a document that cannot be read is told to `unreadable`
 * and left out; the other documents of its file stay, as in daprd.
 */
export async function readResources(
  paths: readonly string[],
  reader: ResourceReader,
): Promise<readonly Resource[]> {
  const resources: Resource[] = [];
  for (const file of await yamlFiles(paths, reader.unreadable)) {
    const text = await readText(file, reader.unreadable);
    if (text === undefined) continue;
    const documents = parseYaml(text);
    if (documents.length === 0) reader.empty(file);
    for (const document of documents) {
      const resource = resourceOf(document, file, reader);
      if (resource !== undefined) resources.push(resource);
    }
  }
  return resources;
}

/** Undefined for what is none. */
function resourceOf(
  document: YamlDocument,
  file: string,
  { unreadable, remark = () => {} }: ResourceReader,
): Resource | undefined {
  const read = readDocument(document, file, {
    unreadable,
    twice: (place) => remark(`${place}: a key is there twice; the last counts.`),
  });
  // Nothing at all between two separators is nothing to speak of.
  if (read === undefined || read.value === null) return undefined;
  const { line, locate, value } = read;
  const kind = at(value, 'kind');
  if (isRecord(value) && typeof kind === 'string') {
    return { file, line, kind, document: value, locate };
  }
  if (!isRecord(value) || kind !== undefined) {
    const which = `${file}:${line}: document ${document.number}`;
    remark(`${which} is no resource, which is a map with a kind; left out.`);
  }
  return undefined;
}

/** What a document holds, and where it begins; undefined where it cannot be read. */
export function readDocument(
  { document, number, position }: YamlDocument,
  file: string,
  told: {
    readonly unreadable: ResourceReader['unreadable'];
    /** A key is there twice, at `file:line`. */
    twice(place: string): void;
  },
): { readonly line: number; readonly value: unknown; readonly locate: Locate } | undefined {
  const placed = ({ line, col }: { line: number; col: number }) => `${file}:${line}:${col}`;
  for (const { code, message, pos } of document.errors) {
    const where = position(pos[0]);
    if (code === 'DUPLICATE_KEY') told.twice(`${file}:${where.line}`);
    else {
      const why = (message.split('\n')[0] ?? '').replace(/ at line \d+.*$/, '');
      told.unreadable(placed(where), `${why} (document ${number} of the file)`);
      return undefined;
    }
  }
  const start = position(document.contents?.range?.[0] ?? 0);
  try {
    const value: unknown = document.toJS({ maxAliasCount: 100 });
    return { line: start.line, value, locate: locator(document, position) };
  } catch (error) {
    told.unreadable(placed(start), `${(error as Error).message} (document ${number} of the file)`);
    return undefined;
  }
}

/** Where a value stands, or what holds it where it is missing. */
function locator(document: YamlDocument['document'], position: YamlDocument['position']): Locate {
  return (keys) => {
    for (let length = keys.length; length >= 0; length -= 1) {
      const node = document.getIn(keys.slice(0, length), true);
      if (isNode(node) && node.range) return position(node.range[0]);
    }
    return undefined;
  };
}

async function yamlFiles(
  paths: readonly string[],
  unreadable: ResourceReader['unreadable'],
): Promise<readonly string[]> {
  const files: string[] = [];
  for (const given of paths) {
    try {
      if (!(await stat(given)).isDirectory()) {
        files.push(given);
        continue;
      }
      const names = (await readdir(given)).filter((name) => /\.ya?ml$/i.test(name)).sort();
      files.push(...names.map((name) => path.join(given, name)));
    } catch (error) {
      unreadable(given, (error as Error).message);
    }
  }
  return files;
}

/** Undefined where it cannot be read. */
export async function readText(
  file: string,
  unreadable: ResourceReader['unreadable'],
): Promise<string | undefined> {
  try {
    const { size } = await stat(file);
    if (size > MAX_FILE_BYTES) throw new Error(`larger than ${MAX_FILE_BYTES} bytes`);
    const decoded = decodeUtf8(await readFile(file));
    if ('text' in decoded) return decoded.text;
    const { line, column, hint } = decoded;
    unreadable(`${file}:${line}:${column}`, `is not UTF-8; ${hint}`);
  } catch (error) {
    unreadable(file, (error as Error).message);
  }
  return undefined;
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Every value of a map as text; empty where there is no map. */
export function texts(value: unknown): Readonly<Record<string, string>> {
  if (!isRecord(value)) return {};
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, String(one)]));
}

/**
 * The value at a path of keys, if every step is there; in any letter case where none is exact
 * (`baseURL`): Go reads fields so, and files that work with Dapr stand in the world.
 */
export function at(value: unknown, ...keys: readonly string[]): unknown {
  let here = value;
  for (const key of keys) {
    if (!isRecord(here)) return undefined;
    here = here[key] ?? here[Object.keys(here).find(sameLetters(key)) ?? key];
  }
  return here;
}

const sameLetters =
  (key: string) =>
  (one: string): boolean =>
    one.length === key.length && one.toLowerCase() === key.toLowerCase();

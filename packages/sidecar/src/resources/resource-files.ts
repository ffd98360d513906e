import { readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { decodeUtf8 } from '@holdfast/config';
import { type Document, isNode, type LineCounter, YAMLParseError } from 'yaml';
import { parseYaml } from './parse-yaml.ts';
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

/** A file that cannot be read; `place` is it, or `file:line:column` where that is known. */
interface Unread {
  readonly place: string;
  readonly why: string;
}

/** Who is told what is left out. */
export interface ResourceReader {
  unreadable(place: string, why: string): void;
  /** Of a file without a document. */
  empty(file: string): void;
  /** Of each key that a file has twice; the last counts, as in Dapr. */
  remark?(remark: string): void;
}

/**
 * Reads every YAML document under `paths` (files, or folders without their
 * subfolders). What cannot be read is told to `unreadable` and left out.
 */
export async function readResources(
  paths: readonly string[],
  { unreadable, empty, remark = () => {} }: ResourceReader,
): Promise<readonly Resource[]> {
  if (paths.length === 0) return [];
  const resources: Resource[] = [];
  for (const file of await yamlFiles(paths, unreadable)) {
    const found = await resourcesIn(file, remark).catch((error: Error) => unread(file, error));
    if (found === undefined) empty(file);
    else if ('why' in found) unreadable(found.place, found.why);
    else resources.push(...found);
  }
  return resources;
}

function unread(file: string, error: Error): Unread {
  const why = error.message.split('\n')[0] ?? 'unreadable';
  const [start] = error instanceof YAMLParseError ? (error.linePos ?? []) : [];
  if (start === undefined) return { place: file, why };
  const place = `${file}:${start.line}:${start.col}`;
  return { place, why: why.replace(/ at line \d+.*$/, '') };
}

/**
 * Undefined for a file without a document.
 *
 * @throws Error for what is no YAML.
 */
async function resourcesIn(
  file: string,
  remark: (remark: string) => void,
): Promise<readonly Resource[] | Unread | undefined> {
  const decoded = decodeUtf8(await readBytes(file));
  if (!('text' in decoded)) {
    const { line, column, hint } = decoded;
    return { place: `${file}:${line}:${column}`, why: `is not UTF-8; ${hint}` };
  }
  const { documents, lines } = parseYaml(decoded.text);
  if (documents.length === 0) return undefined;
  const resources: Resource[] = [];
  for (const document of documents) {
    for (const error of document.errors) {
      if (error.code !== 'DUPLICATE_KEY') throw error;
      const line = error.linePos?.[0].line;
      remark(`${file}:${line}: a key is there twice; the last counts.`);
    }
    const value: unknown = document.toJS({ maxAliasCount: 100 });
    const kind = at(value, 'kind');
    if (!isRecord(value) || typeof kind !== 'string') continue;
    const { line } = lines.linePos(document.contents?.range?.[0] ?? 0);
    const locate = locator(document, lines);
    resources.push({ file, line, kind, document: value, locate });
  }
  return resources;
}

/** Where a value stands, or what holds it where it is missing. */
function locator(document: Pick<Document, 'getIn'>, lines: LineCounter): Locate {
  return (keys) => {
    for (let length = keys.length; length >= 0; length -= 1) {
      const node = document.getIn(keys.slice(0, length), true);
      if (isNode(node) && node.range) return lines.linePos(node.range[0]);
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

async function readBytes(file: string): Promise<Uint8Array> {
  const { size } = await stat(file);
  if (size > MAX_FILE_BYTES) throw new Error(`larger than ${MAX_FILE_BYTES} bytes`);
  return await readFile(file);
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

import { readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
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

/** Of each key that a file has twice; the last counts, as in Dapr. */
export type Remark = (remark: string) => void;

/** Why a file without a document is left out, in the words of `Unreadable`. */
export const EMPTY = 'is empty';

/** `place` is a file, or `file:line:column` where it is known. */
export type Unreadable = (place: string, why: string) => void;

/**
 * Reads every YAML document under `paths` (files, or folders without their
 * subfolders). What cannot be read is told to `unreadable` and left out.
 */
export async function readResources(
  paths: readonly string[],
  unreadable: Unreadable,
  remark: Remark = () => {},
): Promise<readonly Resource[]> {
  if (paths.length === 0) return [];
  const resources: Resource[] = [];
  for (const file of await yamlFiles(paths, unreadable)) {
    try {
      resources.push(...resourcesIn(file, await readText(file), remark));
    } catch (error) {
      const why = (error as Error).message.split('\n')[0] ?? 'unreadable';
      const [start] = error instanceof YAMLParseError ? (error.linePos ?? []) : [];
      if (start === undefined) unreadable(file, why);
      else unreadable(`${file}:${start.line}:${start.col}`, why.replace(/ at line \d+.*$/, ''));
    }
  }
  return resources;
}

/** @throws Error for what is no YAML. */
function resourcesIn(file: string, text: string, remark: Remark): readonly Resource[] {
  const resources: Resource[] = [];
  const { documents, lines } = parseYaml(text);
  if (documents.length === 0) throw new Error(EMPTY);
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
  unreadable: Unreadable,
): Promise<readonly string[]> {
  const files: string[] = [];
  for (const given of paths) {
    try {
      if (!(await stat(given)).isDirectory()) {
        files.push(given);
        continue;
      }
      const names = (await readdir(given)).filter((name) => /\.ya?ml$/.test(name)).sort();
      files.push(...names.map((name) => path.join(given, name)));
    } catch (error) {
      unreadable(given, (error as Error).message);
    }
  }
  return files;
}

async function readText(file: string): Promise<string> {
  const { size } = await stat(file);
  if (size > MAX_FILE_BYTES) throw new Error(`larger than ${MAX_FILE_BYTES} bytes`);
  return await readFile(file, 'utf8');
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

import { readFile } from 'node:fs/promises';
import { goFileError } from '../bindings/go-file-error.ts';
import type { ComponentSettings } from '../components/component-settings.ts';
import { parseExactly, WrittenNumber } from '../go-json/exact-numbers.ts';
import { wholeJson } from '../go-json/read-json.ts';
import { isRecord } from '../resources/resource-files.ts';
import type { Secret, SecretStore } from './secret-store.ts';

/**
 * `secretstores.local.file`: a JSON file, read when the sidecar starts. Nested
 * keys are joined by `nestedSeparator`; with `multiValued` the first level names
 * the secret and the rest its values.
 *
 * @throws Error when the file cannot be read, or is no JSON object.
 */
export async function fileSecrets(settings: ComponentSettings): Promise<SecretStore> {
  const file = settings.required('secretsFile');
  const separator = settings.text('nestedSeparator') ?? ':';
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw new Error(goFileError('open', file, error));
  });
  const content = contentOf(text, file);
  if (!isRecord(content)) throw new Error(`${file} must hold a JSON object`);
  const multiValued = settings.flag('multiValued');
  const secrets: Readonly<Record<string, Secret>> = multiValued
    ? Object.fromEntries(
        Object.entries(content).map(([name, value]) => [name, values(name, value, separator)]),
      )
    : Object.fromEntries(
        flat(content, '', separator).map(([key, value]) => [key, { [key]: value }]),
      );
  return {
    ...(multiValued ? { capabilities: ['MULTIPLE_KEY_VALUES_PER_SECRET'] } : {}),
    async get(name) {
      const secret = Object.hasOwn(secrets, name) ? secrets[name] : undefined;
      if (secret === undefined) throw new Error(`secret ${name} not found`);
      return secret;
    },
    all: async () => secrets,
  };
}

/** What is wrong is told by a letter and its kind of place: the words of others would show what is secret. */
function contentOf(text: string, file: string): unknown {
  try {
    return wholeJson(text, parseExactly) ?? {};
  } catch (error) {
    throw new Error(`${file} is no JSON: ${(error as Error).message}`);
  }
}

function values(name: string, value: unknown, separator: string): Secret {
  return isNested(value)
    ? Object.fromEntries(flat(value, '', separator))
    : { [name]: secretText(value) };
}

function flat(value: object, prefix: string, separator: string): [string, string][] {
  return Object.entries(value).flatMap(([name, inner]): [string, string][] => {
    const key = prefix === '' ? name : `${prefix}${separator}${name}`;
    return isNested(inner) ? flat(inner, key, separator) : [[key, secretText(inner)]];
  });
}

const isNested = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !(value instanceof WrittenNumber);

/** A number as it was written, with all its digits. */
const secretText = (value: unknown): string =>
  value instanceof WrittenNumber ? value.source : String(value ?? '');

import { writeJson } from '../go-json/write-json.ts';
import { at, isRecord, type Resource } from '../resources/resource-files.ts';
import { NAME_RULE, resourceName, scalarText } from '../resources/resource-name.ts';
import { initTimeoutMs } from './init-timeout.ts';

/** A Component of the resources, as written; its values may still have to be looked up. */
export interface ComponentSpec {
  readonly file: string;
  readonly name: string;
  /** `state.sqlite`, in the letter case that it is written in; empty where there is none. */
  readonly type: string;
  /** Empty where there is none. */
  readonly version: string;
  /** A component that fails to start does not keep the sidecar from starting. */
  readonly ignoreErrors: boolean;
  /** It is up by then, or has failed; undefined: however long it takes. */
  readonly initTimeoutMs: number | undefined;
  readonly secretStore: string | undefined;
  readonly metadata: readonly MetadataItem[];
}

/** One item of `spec.metadata`: a value, or where it is. */
export type MetadataItem = { readonly name: string } & GivenValue;

/** A value as resources give it. */
export type GivenValue =
  | { readonly kind: 'value'; readonly value: string }
  | {
      readonly kind: 'secret';
      readonly secret: string;
      readonly key: string;
      /** Stands beside it, for where there is no such secret. */
      readonly otherwise?: string;
    }
  | { readonly kind: 'variable'; readonly variable: string };

/** Reads a Component; a text says what is wrong with it. */
export function componentSpec({ file, document }: Resource): ComponentSpec | string {
  const name = resourceName(document);
  if (name === undefined || name === '') return NAME_RULE;
  const type = scalarText(at(document, 'spec', 'type'));
  if (type === undefined) return `spec.type of component "${name}" must be a text`;
  const version = scalarText(at(document, 'spec', 'version'));
  if (version === undefined) return `spec.version of component "${name}" must be a text`;
  const ignoreErrors = at(document, 'spec', 'ignoreErrors') ?? false;
  if (typeof ignoreErrors !== 'boolean') {
    return `spec.ignoreErrors of component "${name}" must be true or false, not ${JSON.stringify(ignoreErrors)}`;
  }
  const items = at(document, 'spec', 'metadata') ?? [];
  if (!Array.isArray(items)) return `spec.metadata of component "${name}" must be a list`;
  const metadata: MetadataItem[] = [];
  for (const item of items) {
    const read = metadataItem(item);
    if (typeof read === 'string') return `spec.metadata of component "${name}": ${read}`;
    metadata.push(read);
  }
  return {
    file,
    name,
    type,
    version,
    ignoreErrors,
    initTimeoutMs: initTimeoutMs(at(document, 'spec', 'initTimeout')),
    secretStore: secretStoreOf(document),
    metadata,
  };
}

/** The store that a resource's `secretKeyRef`s are in. */
export function secretStoreOf(document: Resource['document']): string | undefined {
  const store = at(document, 'auth', 'secretStore');
  return typeof store === 'string' && store !== '' ? store : undefined;
}

/** One without a name is one that has no effect, as the log says then. */
function metadataItem(item: unknown): MetadataItem | string {
  if (!isRecord(item)) return 'an entry must be a map with name and value';
  const secret = at(item, 'secretKeyRef') ?? {};
  if (!isRecord(secret)) return 'a secretKeyRef must be a map with name and key';
  const name = scalarText(at(item, 'name'));
  return name === undefined ? 'the name of an entry must be a text' : { name, ...givenValue(item) };
}

/** `envRef` where there is no `value`, `secretKeyRef` where there is a secret, `value`; in this order, as in Dapr. */
export function givenValue(item: unknown): GivenValue {
  const value = at(item, 'value') ?? undefined;
  const variable = scalarText(at(item, 'envRef'));
  if (value === undefined && variable) return { kind: 'variable', variable };
  const secret = scalarText(at(item, 'secretKeyRef', 'name'));
  if (!secret) return { kind: 'value', value: textOf(value) };
  // A store of single secrets has no keys: the name is both.
  const key = scalarText(at(item, 'secretKeyRef', 'key')) || secret;
  return { kind: 'secret', secret, key, ...(value !== undefined && { otherwise: textOf(value) }) };
}

/** Numbers and booleans as YAML has them, lists and maps as Go writes JSON. */
function textOf(value: unknown): string {
  if (value === undefined || value === null) return '';
  return typeof value === 'object' ? writeJson(value) : String(value);
}

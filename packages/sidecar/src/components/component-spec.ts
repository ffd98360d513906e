import { writeJson } from '../go-json/write-json.ts';
import { at, isRecord, type Resource } from '../resources/resource-files.ts';
import { NAME_RULE, resourceName, scalarText } from '../resources/resource-name.ts';

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
  readonly secretStore: string | undefined;
  readonly metadata: readonly MetadataItem[];
}

/** One item of `spec.metadata`: a value, or where it is. */
export type MetadataItem = { readonly name: string } & GivenValue;

/** A value as resources give it. */
export type GivenValue =
  | { readonly kind: 'value'; readonly value: string }
  | { readonly kind: 'secret'; readonly secret: string; readonly key: string }
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
    if (read === undefined) return `an entry of spec.metadata of component "${name}" has no name`;
    metadata.push(read);
  }
  return {
    file,
    name,
    type,
    version,
    ignoreErrors,
    secretStore: secretStoreOf(document),
    metadata,
  };
}

/** The store that a resource's `secretKeyRef`s are in. */
export function secretStoreOf(document: Resource['document']): string | undefined {
  const store = at(document, 'auth', 'secretStore');
  return typeof store === 'string' && store !== '' ? store : undefined;
}

function metadataItem(item: unknown): MetadataItem | undefined {
  const name = scalarText(at(item, 'name'));
  return name === undefined || name === '' ? undefined : { name, ...givenValue(item) };
}

/** `value`, `secretKeyRef` or `envRef`. */
export function givenValue(item: unknown): GivenValue {
  const secret = at(item, 'secretKeyRef');
  if (isRecord(secret)) {
    const store = String(at(secret, 'name') ?? '');
    // A store of single secrets has no keys: the name is both.
    return { kind: 'secret', secret: store, key: String(at(secret, 'key') ?? store) };
  }
  const variable = at(item, 'envRef');
  if (typeof variable === 'string') return { kind: 'variable', variable };
  return { kind: 'value', value: textOf(at(item, 'value')) };
}

/** Numbers and booleans as YAML has them, lists and maps as Go writes JSON. */
function textOf(value: unknown): string {
  if (value === undefined || value === null) return '';
  return typeof value === 'object' ? writeJson(value) : String(value);
}

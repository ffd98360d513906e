import { at, isRecord, type Resource } from '../resources/resource-files.ts';

/** A Component of the resources, as written; its values may still have to be looked up. */
export interface ComponentSpec {
  readonly file: string;
  readonly name: string;
  /** `state.sqlite` */
  readonly type: string;
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

/** What a name may be, as Kubernetes and so daprd have it: a segment of paths. */
const NAME = /^(?!\.{1,2}$)[^/%]+$/s;

/** Reads a Component; a text says what is wrong with it. */
export function componentSpec({ file, document }: Resource): ComponentSpec | string {
  const given = at(document, 'metadata', 'name');
  // `name: 123` is a name as well.
  const name = typeof given === 'number' ? String(given) : given;
  const type = at(document, 'spec', 'type');
  if (typeof name !== 'string' || !NAME.test(name)) {
    return 'metadata.name must be a segment of a path: not empty, not "." or "..", without "/" and "%"';
  }
  if (typeof type !== 'string' || type === '') return `component "${name}" has no spec.type`;
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
    type: type.toLowerCase(),
    version: String(at(document, 'spec', 'version') ?? 'v1'),
    ignoreErrors: at(document, 'spec', 'ignoreErrors') === true,
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
  const name = at(item, 'name');
  return typeof name !== 'string' || name === '' ? undefined : { name, ...givenValue(item) };
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

/** Numbers and booleans as YAML wrote them, lists and maps as JSON. */
function textOf(value: unknown): string {
  if (value === undefined || value === null) return '';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

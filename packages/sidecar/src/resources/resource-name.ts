import { at, type Resource } from './resource-files.ts';

/** What a name may be, as Kubernetes and so daprd have it: a segment of paths. */
const NAME = /^(?!\.{1,2}$)[^/%]*$/s;

export const NAME_RULE =
  'metadata.name must be a segment of a path: not empty, not "." or "..", without "/" and "%"';

/** `metadata.name`; empty where there is none, and undefined for what no name may be. */
export function resourceName(document: Resource['document']): string | undefined {
  const name = scalarText(at(document, 'metadata', 'name'));
  return name !== undefined && NAME.test(name) ? name : undefined;
}

/** A text, or what YAML takes for something else where one is meant: `5`, `yes`. Undefined for lists and maps. */
export function scalarText(value: unknown): string | undefined {
  if (typeof value === 'object' && value !== null) return undefined;
  return String(value ?? '');
}

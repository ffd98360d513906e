import type { ComponentSpec } from './component-spec.ts';

/** Two components have one name. */
export class DuplicateComponentError extends Error {
  override readonly name = 'DuplicateComponentError';
  readonly code = 'COMPONENT';
}

/**
 * With two of one name it would be chance which one is used; the words are Dapr's.
 *
 * @throws DuplicateComponentError
 */
export function refuseDuplicates(specs: readonly ComponentSpec[]): void {
  const first = new Map<string, ComponentSpec>();
  const lines: string[] = [];
  const files = new Set<string>();
  for (const spec of specs) {
    const existing = first.get(spec.name);
    if (existing === undefined) {
      first.set(spec.name, spec);
      continue;
    }
    lines.push(
      `duplicate definition of Component name ${known(spec)} with existing ${known(existing)}`,
    );
    files.add(existing.file).add(spec.file);
  }
  if (lines.length === 0) return;
  const remedy = `Give each a name of its own, in ${[...files].join(', ')}.`;
  throw new DuplicateComponentError(`failed to load components: ${[...lines, remedy].join('\n')}`);
}

/** A component as daprd's lines name it. */
export const known = ({ name, type, version }: ComponentSpec): string =>
  `${name} (${type}${version === '' ? '' : `/${version}`})`;

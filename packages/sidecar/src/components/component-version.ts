/** Of one type, whatever they are called: none, `v0` and `v1` are the first one, in any letter case, as in Dapr. */
export const sameVersion = (a: string, b: string): boolean => versionOf(a) === versionOf(b);

/** A type as tables of components have it: `state.sqlite`, and `state.postgresql/v2` where it is not the first. */
export function typeName({ type, version }: TypeAndVersion): string {
  const lower = type.toLowerCase();
  const own = SEVERAL.has(lower) ? version.toLowerCase() : '';
  const other = own === 'v0' ? own : versionOf(version);
  return other === FIRST ? lower : `${lower}/${other}`;
}

export interface TypeAndVersion {
  /** In any letter case after its first dot. */
  readonly type: string;
  readonly version: string;
}

const FIRST = 'v1';

/** Types with several versions, each of which Dapr has by its own name: there never was a `v0` of them. */
const SEVERAL = new Set(['state.postgresql', 'state.postgres']);

function versionOf(given: string): string {
  const lower = given.toLowerCase();
  return lower === '' || lower === 'v0' ? FIRST : lower;
}

/** Of one type, whatever they are called: none, `v0` and `v1` are the first one, in any letter case, as in Dapr. */
export const sameVersion = (a: string, b: string): boolean => versionOf(a) === versionOf(b);

/** A type as tables of components have it: `state.sqlite`, and `state.postgresql/v2` where it is not the first. */
export function typeName({ type, version }: TypeAndVersion): string {
  const other = versionOf(version);
  return other === FIRST ? type.toLowerCase() : `${type.toLowerCase()}/${other}`;
}

export interface TypeAndVersion {
  /** In any letter case after its first dot. */
  readonly type: string;
  readonly version: string;
}

const FIRST = 'v1';

function versionOf(given: string): string {
  const lower = given.toLowerCase();
  return lower === '' || lower === 'v0' ? FIRST : lower;
}

/** Gathers the values of an option that may be repeated. */
export function listOf(value: string, before: readonly string[]): readonly string[] {
  return [...before, value];
}

/**
 * Makes what would read variables of the environment while it is made, and must not: OpenTelemetry's
 * exporters add the headers that variables name to those they are given.
 */
export function withoutVariables<T>(names: readonly string[], make: () => T): T {
  const { env } = process;
  const before = names.flatMap((name) => {
    const value = env[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  try {
    for (const [name] of before) delete env[name];
    return make();
  } finally {
    for (const [name, value] of before) env[name] = value;
  }
}

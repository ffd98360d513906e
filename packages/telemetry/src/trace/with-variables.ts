/**
 * Does what would read variables of the environment, with others in their place; undefined takes one away:
 * OpenTelemetry's exporters add the headers that variables name to those they are given.
 */
export function withVariables<T>(
  variables: Readonly<Record<string, string | undefined>>,
  make: () => T,
): T {
  const { env } = process;
  const put = (name: string, value: string | undefined): void => {
    if (value === undefined) delete env[name];
    else env[name] = value;
  };
  const before = Object.keys(variables).map((name) => [name, env[name]] as const);
  try {
    for (const [name, value] of Object.entries(variables)) put(name, value);
    return make();
  } finally {
    for (const [name, value] of before) put(name, value);
  }
}

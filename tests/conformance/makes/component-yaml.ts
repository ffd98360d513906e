interface Further {
  /** @default 'v1' */
  readonly version?: string;
  /** The only apps that have it. @default every one */
  readonly scopes?: readonly string[];
}

/** A Component as a file of resources says it; several are put together with `---`. */
export function componentYaml(
  name: string,
  type: string,
  metadata: Readonly<Record<string, string>> = {},
  { scopes, version = 'v1' }: Further = {},
): string {
  const items = Object.entries(metadata).map(([item, value]) => ({ name: item, value }));
  return `
apiVersion: dapr.io/v1alpha1
kind: Component
metadata: { name: ${name} }
spec: { type: ${type}, version: ${version}, metadata: ${JSON.stringify(items)} }
${scopes === undefined ? '' : `scopes: [${scopes.join(', ')}]\n`}`;
}

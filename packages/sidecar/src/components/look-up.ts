import { isHidden } from '../secrets/env-secrets.ts';
import type { SecretStore } from '../secrets/secret-store.ts';
import type { GivenValue } from './component-spec.ts';

/** Where values are that a resource does not hold itself. */
export interface ValueSources {
  /** `auth.secretStore` of the resource. */
  readonly secretStore: string | undefined;
  readonly secrets: ReadonlyMap<string, SecretStore>;
  readonly variables: Readonly<Record<string, string | undefined>>;
  /** Told of what is as good as not set. */
  warn(message: string): void;
}

/**
 * The value itself; `what` names its place in errors. A variable that is not set is an empty text, and so is one
 * that is none of a resource's, which `warn` is told of.
 *
 * @throws Error for a secret that cannot be had.
 */
export async function lookUp(
  what: string,
  given: GivenValue,
  { secretStore, secrets, variables, warn }: ValueSources,
): Promise<string> {
  if (given.kind === 'value') return given.value;
  if (given.kind === 'variable') {
    const { variable } = given;
    if (mayRefer(variable, variables)) return variables[variable] ?? '';
    warn(`${what}: envRef ${variable} is not for resources, and is empty for them.`);
    return '';
  }
  const store = secretStore === undefined ? undefined : secrets.get(secretStore);
  if (store === undefined) {
    if (given.otherwise !== undefined) return given.otherwise;
    const named =
      secretStore === undefined
        ? 'no auth.secretStore is named'
        : `there is no secret store "${secretStore}"`;
    throw new Error(`${what} refers to the secret "${given.secret}", and ${named}`);
  }
  try {
    const value = (await store.get(given.secret))[given.key];
    if (value) return value;
    if (given.otherwise !== undefined) return given.otherwise;
    if (value === '') return value;
  } catch (error) {
    if (given.otherwise === undefined) throw error;
    return given.otherwise;
  }
  throw new Error(`the secret "${given.secret}" has no key "${given.key}"`);
}

/**
 * As in daprd: whoever writes resources is not to get at the tokens and keys that a sidecar is started with
 * (`DAPR_…`, `APP_API_TOKEN`), nor, where `DAPR_ENV_KEYS` is set, at what that does not list.
 */
function mayRefer(variable: string, variables: ValueSources['variables']): boolean {
  if (isHidden(variable) || variable === '' || variable.includes(' ')) return false;
  const listed = variables.DAPR_ENV_KEYS ?? '';
  return listed === '' || listed.split(' ').includes(variable.toUpperCase());
}

import type { SecretStore } from '../secrets/secret-store.ts';
import type { GivenValue } from './component-spec.ts';

/** Where values are that a resource does not hold itself. */
export interface ValueSources {
  /** `auth.secretStore` of the resource. */
  readonly secretStore: string | undefined;
  readonly secrets: ReadonlyMap<string, SecretStore>;
  readonly variables: Readonly<Record<string, string | undefined>>;
}

/**
 * The value itself; `what` names its place in errors. A variable that is not set is an empty text.
 *
 * @throws Error for a secret that cannot be had, and for a variable that is none of a resource's.
 */
export async function lookUp(
  what: string,
  given: GivenValue,
  { secretStore, secrets, variables }: ValueSources,
): Promise<string> {
  if (given.kind === 'value') return given.value;
  if (given.kind === 'variable') {
    const { variable } = given;
    if (mayRefer(variable, variables)) return variables[variable] ?? '';
    throw new Error(
      `${what} refers to the variable "${variable}", which no resource may have: DAPR_… and APP_API_TOKEN are the sidecar's own, and DAPR_ENV_KEYS, where it is set, lists all others`,
    );
  }
  const store = secretStore === undefined ? undefined : secrets.get(secretStore);
  if (store === undefined) {
    const named =
      secretStore === undefined
        ? 'no auth.secretStore is named'
        : `there is no secret store "${secretStore}"`;
    throw new Error(`${what} refers to the secret "${given.secret}", and ${named}`);
  }
  const secret = await store.get(given.secret);
  const value = secret[given.key] ?? secret[given.secret];
  if (value === undefined) {
    throw new Error(`the secret "${given.secret}" has no key "${given.key}"`);
  }
  return value;
}

/** As in daprd: whoever writes resources is not to get at the tokens and keys that a sidecar is started with. */
function mayRefer(variable: string, variables: ValueSources['variables']): boolean {
  const name = variable.toUpperCase();
  if (/^(?:|APP_API_TOKEN|DAPR_.*|.* .*)$/s.test(name)) return false;
  const listed = variables.DAPR_ENV_KEYS ?? '';
  return listed === '' || listed.split(' ').includes(name);
}

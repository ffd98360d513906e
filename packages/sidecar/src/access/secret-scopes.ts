import { ConfigurationError } from '../resources/configuration-error.ts';
import type { Place } from '../resources/place.ts';
import { isRecord } from '../resources/resource-files.ts';

/** Which secrets of one store the application may read. */
export interface SecretScope {
  readonly allowsByDefault: boolean;
  /** Where there are any, these and no others, whatever else is said. */
  readonly allowed: readonly string[];
  readonly denied: readonly string[];
}

/** By name of the store; one that is not there may be read whole. */
export type SecretScopes = ReadonlyMap<string, SecretScope>;

export const NO_SECRET_SCOPES: SecretScopes = new Map();

/** As Dapr decides: the list of the allowed comes first, then that of the denied, then the default. */
export function isSecretAllowed(scopes: SecretScopes, store: string, key: string): boolean {
  const scope = scopes.get(store);
  if (scope === undefined) return true;
  if (scope.allowed.length > 0) return scope.allowed.includes(key);
  return scope.allowsByDefault && !scope.denied.includes(key);
}

/**
 * Reads `spec.secrets`.
 *
 * @throws ConfigurationError for what is no scope, and for a second one of a store; daprd refuses both, too.
 */
export function readSecretScopes(given: unknown, place: Place): SecretScopes | undefined {
  const list = isRecord(given) ? given.scopes : given;
  if (list === undefined || list === null) return undefined;
  const shape = 'must be a list of { storeName, defaultAccess, allowedSecrets, deniedSecrets }.';
  if (!Array.isArray(list)) throw new ConfigurationError(place.at('scopes'), shape);
  const scopes = new Map<string, SecretScope>();
  for (const [at, item] of list.entries()) {
    const here = place.at('scopes', at);
    if (!isRecord(item) || typeof item.storeName !== 'string' || item.storeName === '') {
      throw new ConfigurationError(here, 'must name its storeName.');
    }
    const access = String(item.defaultAccess ?? '').toLowerCase();
    if (access !== '' && access !== 'allow' && access !== 'deny') {
      const message = `must be allow or deny, not "${item.defaultAccess}".`;
      throw new ConfigurationError(here.at('defaultAccess'), message);
    }
    if (scopes.has(item.storeName)) {
      throw new ConfigurationError(
        here.at('storeName'),
        `"${item.storeName}" has a scope already.`,
      );
    }
    scopes.set(item.storeName, {
      allowsByDefault: access !== 'deny',
      allowed: names(item.allowedSecrets, here.at('allowedSecrets')),
      denied: names(item.deniedSecrets, here.at('deniedSecrets')),
    });
  }
  return scopes;
}

function names(given: unknown, place: Place): readonly string[] {
  if (given === undefined || given === null) return [];
  if (Array.isArray(given) && given.every((one) => typeof one === 'string')) return given;
  throw new ConfigurationError(place, 'must be a list of names of secrets.');
}

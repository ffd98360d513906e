import { sameVersion } from '../components/component-version.ts';
import { ConfigurationError } from '../resources/configuration-error.ts';
import type { Place } from '../resources/place.ts';
import { isRecord } from '../resources/resource-files.ts';

/** A kind of component that is not to be used; without a version, all of them. */
export interface DeniedComponent {
  readonly type: string;
  readonly version: string | undefined;
}

export function isComponentDenied(
  denied: readonly DeniedComponent[],
  { type, version }: { readonly type: string; readonly version: string },
): boolean {
  return denied.some(
    // Whoever denies `v1` means the first version, whatever it is called.
    (one) => one.type === type.toLowerCase() && sameVersion(one.version ?? version, version),
  );
}

/**
 * Reads `spec.components.deny`: `bindings.smtp`, `state.sqlite/v1`.
 *
 * @throws ConfigurationError for what is no list of types.
 */
export function readDeniedComponents(
  given: unknown,
  place: Place,
): readonly DeniedComponent[] | undefined {
  if (given === undefined || given === null) return undefined;
  const list = isRecord(given) ? (given.deny ?? []) : undefined;
  if (!Array.isArray(list) || !list.every((one) => typeof one === 'string' && one !== '')) {
    const message = 'must be a list of types, such as "bindings.smtp" or "state.sqlite/v1".';
    throw new ConfigurationError(place.at('deny'), message);
  }
  return list.map((one: string) => {
    const [type = '', version] = one.toLowerCase().split('/');
    return { type, version };
  });
}

import type { ComponentSettings } from './component-settings.ts';

/** What separates a prefix from its key; no key may hold it. */
export const KEY_SEPARATOR = '||';

interface Whose {
  readonly appId: string;
  /** Empty where the sidecar was given none; undefined for locks, to which `namespace` is a text like any other, as in Dapr. */
  readonly givenNamespace: string | undefined;
}

/**
 * What stands before the keys of a store, as metadata `keyPrefix` says: `orders||`, or nothing where it
 * is `none`. A text of one's own is in small letters, and one that is given and empty is a prefix
 * (`||key`), since Dapr has it so and stores are shared.
 *
 * @throws Error for a text that has the separator in it
 */
export function keyPrefix(
  settings: ComponentSettings,
  name: string,
  { appId, givenNamespace }: Whose,
): string {
  const given = settings.given('keyPrefix') ?? 'appid';
  if (given.includes(KEY_SEPARATOR)) {
    throw new Error(`keyPrefix "${given}" must not contain ${KEY_SEPARATOR}`);
  }
  const before = (prefix: string): string => `${prefix}${KEY_SEPARATOR}`;
  const strategy = given.toLowerCase();
  switch (strategy) {
    case 'appid':
      return before(appId);
    case 'name':
      return before(name);
    case 'namespace':
      if (givenNamespace === undefined) return before(strategy);
      // As in Dapr, an app without a namespace has the keys of one that does not ask for it.
      return before(givenNamespace === '' ? appId : `${givenNamespace}.${appId}`);
    case 'none':
      return '';
    default:
      return before(strategy);
  }
}

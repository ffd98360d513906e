import type { NameResolver } from './name-resolver.ts';

/** What stands for the app's id in a format. */
export const APP_ID = '{appid}';

/**
 * Dapr's `nameformat`: an address that is written down once for all apps, `{appid}-sidecar.shop:50002`,
 * for where somebody else has given every sidecar a name. Registers nothing; whether anybody is there
 * turns out at the call.
 */
export function formatNames(format: string): NameResolver {
  return {
    register: async () => {},
    resolve: (appId) => [format.replaceAll(APP_ID, appId)],
    unreachable() {},
    notFound: (appId) => `couldn't find service: ${appId}`,
    close: async () => {},
  };
}

import type { NameResolver } from '../names/name-resolver.ts';

/** Name resolution within one process: sidecars given resolvers of the same one find each other. */
export function sharedNames(): () => NameResolver {
  const addresses = new Map<string, Set<string>>();
  return () => {
    let mine: { appId: string; address: string } | undefined;
    return {
      async register({ appId, host, port }) {
        mine = { appId, address: `${host}:${port}` };
        addresses.set(appId, (addresses.get(appId) ?? new Set()).add(mine.address));
      },
      resolve: (appId) => [...(addresses.get(appId) ?? [])],
      unreachable() {},
      notFound: () => 'no host found with the given ID',
      async close() {
        if (mine !== undefined) addresses.get(mine.appId)?.delete(mine.address);
      },
    };
  };
}

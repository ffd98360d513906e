import type { ApiCall } from './api-call.ts';
import { notConfigured } from './not-configured.ts';

/** A path of the API other than invocation; `match` holds the pattern's groups. */
export interface Route {
  readonly method: string;
  readonly path: RegExp;
  /** Whether it is there now; components come and go. @default it is */
  readonly there?: () => boolean;
  readonly handle: (call: ApiCall, match: RegExpExecArray) => void;
}

/**
 * Finds who answers a request. What no route matches is an invocation: its
 * target may be in a header, so no path can be ruled out. As in Dapr, a
 * trailing slash is overlooked where nothing matches with it.
 */
export function createRouter(
  routes: readonly Route[],
  invoke: (call: ApiCall) => void,
  appId: string,
): (call: ApiCall) => void {
  const find = (call: ApiCall, path: string): boolean => {
    for (const route of routes) {
      if (route.method !== call.head.method || route.there?.() === false) continue;
      const match = route.path.exec(path);
      if (match === null) continue;
      route.handle(call, match);
      return true;
    }
    return notConfigured(call, path, appId);
  };
  return (call) => {
    const given = call.head.path;
    const path = given.startsWith('//') ? given.replace(/^\/+/, '/') : given;
    if (!path.startsWith('/v1.0') || path.startsWith('/v1.0/invoke/')) return invoke(call);
    if (find(call, path)) return;
    if (path.endsWith('/') && find(call, path.slice(0, -1))) return;
    invoke(call);
  };
}

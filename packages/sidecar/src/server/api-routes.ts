import { posix } from 'node:path';
import { apiOfPath, INVOKE } from '../access/api-of-path.ts';
import { type ApiRules, offersApi } from '../access/api-rules.ts';
import type { ApiCall } from './api-call.ts';
import { notConfigured } from './not-configured.ts';
import { notOffered } from './not-offered.ts';

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
 * target may be in a header, so no path can be ruled out. As in Dapr, paths
 * are cleaned before routes are looked up: of slashes at the end and such that
 * follow another, of `.` and `..`. An API that is
 * not offered is as if it were not there; without invocation nothing is left
 * for what no route matches. Without an `appId` there is nothing but the routes:
 * an API that lacks its component is not there either.
 */
export function createRouter(
  routes: readonly Route[],
  invoke: (call: ApiCall) => void,
  appId: string | undefined,
  rulesNow: () => ApiRules | undefined = () => undefined,
): (call: ApiCall) => void {
  let rules: ApiRules | undefined;
  let otherwise = invoke;
  const look = (): void => {
    const now = rulesNow();
    if (now === rules) return;
    rules = now;
    otherwise = now === undefined || offersApi(now, INVOKE, 'http') ? invoke : notFound;
  };
  const find = (call: ApiCall, path: string): boolean => {
    if (rules !== undefined && !offersApi(rules, apiOfPath(path), 'http')) return false;
    for (const route of routes) {
      if (route.method !== call.head.method || route.there?.() === false) continue;
      const match = route.path.exec(path);
      if (match === null) continue;
      route.handle(call, match);
      return true;
    }
    return appId !== undefined && (notConfigured(call, path, appId) || notOffered(call, path));
  };
  return (call) => {
    look();
    const given = call.head.path;
    // What is in a method never leads to another API.
    if (INVOCATION.test(given)) return otherwise(call);
    const path = UNCLEAN.test(given) ? cleanPath(given) : given;
    if (!path.startsWith('/v1.0') || path.startsWith('/v1.0/invoke/')) return otherwise(call);
    if (!find(call, path)) otherwise(call);
  };
}

const INVOCATION = /^\/+v1\.0\/invoke\//;
const UNCLEAN = /\/\/|\/\.{1,2}(?:\/|$)|.\/$/;

function cleanPath(given: string): string {
  const clean = posix.normalize(given);
  return clean.length > 1 && clean.endsWith('/') ? clean.slice(0, -1) : clean;
}

function notFound(call: ApiCall): void {
  call.plain(404, '404 page not found');
}

import { createRequire } from 'node:module';
import type { Pool } from 'undici';

let loaded: typeof Pool | undefined;

/**
 * undici's pool alone, once somebody needs it: many sidecars never do. The
 * package's front door also loads fetch, WebSocket, caches and mocks: 11 MB of
 * resident memory for things nobody here uses. The version is pinned, and the
 * tests go through this.
 */
export function undiciPool(): typeof Pool {
  loaded ??= createRequire(import.meta.url)('undici/lib/dispatcher/pool.js') as typeof Pool;
  return loaded;
}

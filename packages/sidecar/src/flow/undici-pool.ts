import { createRequire } from 'node:module';
import type { Pool } from 'undici';

/**
 * undici's pool alone. The package's front door also loads fetch, WebSocket,
 * caches and mocks: 11 MB of resident memory in every sidecar for things it
 * never uses. The version is pinned, and the tests go through this.
 */
export const UndiciPool = createRequire(import.meta.url)(
  'undici/lib/dispatcher/pool.js',
) as typeof Pool;

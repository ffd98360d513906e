import { createRequire } from 'node:module';
import type { buildConnector } from 'undici';

/** undici's way of making connections, which it does not export; without its front door, as its pool. */
export function undiciConnector(options: buildConnector.BuildOptions): buildConnector.connector {
  const build = createRequire(import.meta.url)(
    'undici/lib/core/connect.js',
  ) as typeof buildConnector;
  return build(options);
}

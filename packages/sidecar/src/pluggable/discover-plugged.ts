import { readdir } from 'node:fs/promises';
import path from 'node:path';
import type { Logger } from '@holdfast/telemetry/log';

/** A component that listens. */
export interface PluggedSocket {
  /** `my-store` of `my-store.sock`: components are of the type `state.my-store`. */
  readonly name: string;
  readonly socketPath: string;
  /** gRPC services, by their full names. */
  readonly services: ReadonlySet<string>;
}

/** Where Dapr looks, if the environment does not say otherwise. */
export const SOCKETS_FOLDER = '/tmp/dapr-components-sockets';

/** The components that listen in `folder` now; none where it is not there. */
export async function discoverPlugged(
  folder: string,
  log: Logger,
): Promise<readonly PluggedSocket[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') {
      log.warn(`Pluggable components cannot be looked for: ${(error as Error).message}`);
    }
    return [];
  });
  const found: PluggedSocket[] = [];
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const socketPath = path.join(folder, entry.name);
    if (entry.isDirectory()) continue;
    if (!entry.isSocket()) {
      log.warn(`could not use socket for file ${socketPath}`);
      continue;
    }
    try {
      // With a gRPC client, which hardly any sidecar needs.
      const { servicesOf } = await import('./services-of.ts');
      const services = await servicesOf(socketPath);
      found.push({ name: path.parse(entry.name).name, socketPath, services });
    } catch (error) {
      log.warn(
        `The pluggable component at ${socketPath} does not answer: ${(error as Error).message}; start it before the sidecar, or remove the socket.`,
      );
    }
  }
  return found;
}

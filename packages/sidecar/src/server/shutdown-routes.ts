import type { Clock } from '@holdfast/core';
import type { Logger } from '@holdfast/telemetry/log';
import type { StopOptions } from '../ending.ts';
import type { Route } from './api-routes.ts';

/** Ends the sidecar, as soon as it has started where it has not yet. */
export type Shutdown = (force: boolean) => Promise<void>;

/** As long as daprd waits. */
const FLUSH_MS = 100;

/** What asks with this header, or metadata over gRPC, does not wait for what is under way. */
export const FORCE = 'dapr-force-shutdown';

export const isForced = (value: string | readonly string[] | null | undefined): boolean =>
  String(value ?? '').toLowerCase() === 'true';

/** Says in the log, in daprd's words, who ends it. */
export function shutdownByApi(
  stop: Promise<(options: StopOptions) => Promise<void>>,
  { clock, log }: { readonly clock: Clock; readonly log: Logger },
): Shutdown {
  return async (force) => {
    if (force) log.warn('Force shutdown requested, exiting immediately without graceful shutdown');
    else log.info('Shutdown requested via API');
    // Else the answer to the one who asked would be cut off with the rest.
    if (force) await clock.sleep(FLUSH_MS);
    await (await stop)({ force });
  };
}

/** `POST /v1.0/shutdown`: answered first, obeyed afterwards. */
export function shutdownRoutes(shutdown: Shutdown): readonly Route[] {
  return [
    {
      method: 'POST',
      path: /^\/v1\.0\/shutdown$/,
      handle(call) {
        const force = isForced(call.req.headers[FORCE]);
        call.res.once('finish', () => void shutdown(force));
        call.empty(204);
      },
    },
  ];
}

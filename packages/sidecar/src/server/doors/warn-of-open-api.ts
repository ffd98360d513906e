import type { Logger } from '@holdfast/telemetry/log';
import { isLoopback } from './loopback.ts';

/** An API that others can reach and that asks for nothing is worth a line. */
export function warnOfOpenApi(
  { listenAddresses, apiToken }: { listenAddresses: readonly string[]; apiToken?: string },
  log: Logger,
): void {
  const open = listenAddresses.filter((host) => !isLoopback(host));
  if (open.length === 0 || apiToken) return;
  log.warn(`The API listens on ${open.join(', ')} without a token: whoever reaches it can use it.`);
}

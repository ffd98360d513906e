import { eachReasonOnce, type Unreadable } from '@holdfast/messaging/encrypted';
import type { Logger } from '@holdfast/telemetry/log';

/** Logs why events of `component` in the file at `path` cannot be read: each reason once. */
export function unreadableLines(
  { component, path }: { readonly component: string; readonly path: string },
  log: Pick<Logger, 'error'>,
): (unreadable: Unreadable) => void {
  return eachReasonOnce(({ message, reason, dead }) => {
    const what = dead ? 'It is a dead letter now.' : 'It waits, and others pass.';
    log.error(`Event ${message.id} of ${component} in ${path} ${reason} ${what}`);
  });
}

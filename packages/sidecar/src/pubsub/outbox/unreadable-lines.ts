import type { Unreadable } from '@holdfast/messaging/encrypted';
import type { Logger } from '@holdfast/telemetry/log';

/** Reasons name the key that an event was sealed with: what comes from a file has no limit of its own. */
export const MOST_REASONS = 100;

/** Logs why events of `component` in the file at `path` cannot be read: each reason once, and no more than `MOST_REASONS`. */
export function unreadableLines(
  { component, path }: { readonly component: string; readonly path: string },
  log: Pick<Logger, 'error'>,
): (unreadable: Unreadable) => void {
  const said = new Set<string>();
  return ({ message, reason, dead }) => {
    if (said.has(reason) || said.size === MOST_REASONS) return;
    said.add(reason);
    const what = dead ? 'It is a dead letter now.' : 'It waits, and others pass.';
    log.error(`Event ${message.id} of ${component} in ${path} ${reason} ${what}`);
  };
}

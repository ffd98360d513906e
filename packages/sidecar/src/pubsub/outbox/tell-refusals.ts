import type { Clock } from '@holdfast/core';
import type { OutboxRefusedError } from '@holdfast/messaging';
import type { Logger } from '@holdfast/telemetry/log';

/** A full disk refuses thousands of events in a second: the log has one line of it a minute. */
const EVERY_MS = 60_000;

/** What the outbox itself is the reason for; an event that is too large is its sender's affair. */
const OURS: ReadonlySet<unknown> = new Set<OutboxRefusedError['code']>([
  'OUTBOX_UNAVAILABLE',
  'OUTBOX_FULL',
]);

/** Tells the log what clients alone would hear of: that events are refused, and why. Hands the error of `accept` on. */
export function tellRefusals(
  component: string,
  { clock, log }: { readonly clock: Clock; readonly log: Logger },
): <Accepted>(accept: Promise<Accepted>) => Promise<Accepted> {
  let toldMs = -Infinity;
  return async (accept) => {
    try {
      return await accept;
    } catch (error) {
      if (OURS.has((error as OutboxRefusedError).code) && clock.now() - toldMs >= EVERY_MS) {
        toldMs = clock.now();
        log.error(`Events of ${component} are refused: ${(error as Error).message}`);
      }
      throw error;
    }
  };
}

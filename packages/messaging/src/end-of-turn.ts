import { type Clock, systemClock } from '@holdfast/core';

/** The end of this turn of the event loop; in virtual time, of this moment. */
export function endOfTurn(clock: Clock): Promise<void> {
  return clock === systemClock
    ? new Promise((resolve) => setImmediate(resolve))
    : new Promise((resolve) => clock.timer(0, resolve));
}

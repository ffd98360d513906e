import type { IncomingMessage } from 'node:http';
import type { Clock } from '@holdfast/core';

/** How long a refused client may go on sending before its connection is cut. */
const LINGER_MS = 1_000;

/**
 * After an answer to a request that was not read to its end. Cutting the connection at once would
 * lose the answer: TCP throws away what has arrived when bytes come for nobody. So they are taken
 * and forgotten for a while; a client that has understood stops.
 */
export function letGo(request: IncomingMessage, clock: Clock): void {
  if (request.complete || request.destroyed) return;
  request.on('error', () => {});
  request.resume();
  const timer = clock.timer(LINGER_MS, () => request.destroy());
  request.once('close', () => timer.cancel());
}

import type { Clock, Timer } from '@holdfast/core';
import { checkOut, giveBack } from './check-out.ts';
import type { PooledClient, PostgresPool } from './module.ts';

const RETRY_MS = 1_000;

export interface ListenerOptions {
  readonly pool: PostgresPool;
  readonly channel: string;
  readonly clock: Clock;
  /**
   * Called with the notification when something was appended, and without one when it may have been:
   * after each new connection.
   */
  readonly heard: (notification?: unknown) => void;
}

/** Listens on a connection of the pool until it is stopped, and again when the connection was lost. */
export function listen({ pool, channel, clock, heard }: ListenerOptions): () => void {
  let stopped = false;
  let timer: Timer | undefined;
  let leave: (() => void) | undefined;

  const round = async () => {
    try {
      const client = await checkOut(pool);
      if (stopped) return giveBack(client, false);
      await new Promise<void>((resolve, reject) => {
        leave = resolve;
        listenOn(client, channel, heard).then(resolve, reject);
      }).finally(() => {
        client.removeListener('notification', heard);
        // It listens for ever: not to be used for anything else.
        giveBack(client, true);
      });
    } catch {
      // Whoever leases is told that the database is away; polling goes on meanwhile.
    }
    if (!stopped) timer = clock.timer(RETRY_MS, () => void round());
  };
  void round();
  return () => {
    stopped = true;
    timer?.cancel();
    leave?.();
  };
}

/** Ends when the connection does. */
async function listenOn(
  client: PooledClient,
  channel: string,
  heard: (notification?: unknown) => void,
): Promise<void> {
  const lost = new Promise<void>((resolve) => {
    client.on('error', () => resolve());
    client.on('end', () => resolve());
  });
  client.on('notification', heard);
  await client.query(`LISTEN "${channel}"`);
  heard();
  await lost;
}

import type { Cluster, Redis } from 'ioredis';
import { waitedFor } from '../components/waited-for.ts';

/**
 * Resolves when the driver has a connection, rejects when an attempt to make one has failed. Given a command
 * meanwhile, the driver would keep it and send it later, when nobody waits for it any more.
 */
export async function connection(client: Redis | Cluster, signal: AbortSignal): Promise<void> {
  if (client.status === 'ready') return;
  if (client.status === 'end') throw new Error(CLOSED);
  const settled = Promise.withResolvers<void>();
  const ready = () => settled.resolve();
  const failed = () => settled.reject(new Error(CLOSED));
  client.on('ready', ready).on('close', failed).on('end', failed);
  try {
    await waitedFor(settled.promise, signal);
  } finally {
    client.off('ready', ready).off('close', failed).off('end', failed);
  }
}

/** As the driver says it. */
const CLOSED = 'Connection is closed.';

import type { PooledClient, PostgresPool } from './module.ts';

/**
 * Takes a client out of the pool. A connection that breaks says so on both ways: the statement's error
 * is the one to tell, and the client's would end the process. Between a promise and whoever awaits it
 * there is time for that (seen where the server died just after it had let us in), so the listener is
 * there before the promise.
 */
export function checkOut(pool: PostgresPool): Promise<PooledClient> {
  return new Promise((resolve, reject) => {
    pool.connect((error, client) => {
      if (client === undefined) return reject(error);
      client.on('error', ignore);
      resolve(client);
    });
  });
}

/** `broken`: it is in the middle of something, or lost, and not to be used again. */
export function giveBack(client: PooledClient, broken: boolean): void {
  // What comes later from one that is ended belongs to nobody.
  if (!broken) client.removeListener('error', ignore);
  client.release(broken);
}

/** Pools whose idle connections we have begun to listen to. */
const heard = new WeakSet<PostgresPool>();

/** Idle connections say when the server goes; the pool has dropped them by then. */
export function hearIdle(pool: PostgresPool): void {
  if (!heard.has(pool)) pool.on('error', ignore);
  heard.add(pool);
}

export function ignore(): void {}

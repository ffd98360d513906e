import type { Client, PoolClient } from 'pg';
import type { PostgresServer } from './postgres-servers.ts';

/**
 * Asks a server to end what a connection has it do, over another connection, since that one hears
 * nothing before it is done: a write that waits for a lock would be made when nobody waits for it any
 * more. Where the server cannot be asked, the statement ends by itself.
 */
export async function cancelStatement(
  Driver: new (server: PostgresServer) => Client,
  server: PostgresServer,
  client: PoolClient,
): Promise<void> {
  const { processID } = client as PoolClient & { readonly processID: number | null };
  const other = new Driver(server);
  other.on('error', () => {});
  try {
    await other.connect();
    await other.query('SELECT pg_cancel_backend($1)', [processID]);
  } catch {
    // Its time is over there as well, or the server is gone and the statement with it.
  } finally {
    await other.end().catch(() => {});
  }
}

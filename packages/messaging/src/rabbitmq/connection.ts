import { answered, type Patience } from '../answered.ts';
import type { AmqpConnection } from './module.ts';

export { answered };

/**
 * Closes a connection, and ends within `timeoutMs` whatever becomes of it meanwhile. amqplib's own
 * `close` waits for the server's word alone: where the connection is reset before that comes, or
 * the server hangs, it waits for ever. Never rejects.
 */
export async function endConnection(connection: AmqpConnection, patience: Patience): Promise<void> {
  const gone = new Promise<void>((resolve) => connection.on('close', resolve));
  // Rejects where it is closed already, which is what is wanted, and where the server is too late.
  await answered(Promise.race([connection.close(), gone]), patience).catch(() => {});
  // With an error amqplib ends its heartbeats too; they and the socket would keep the process alive.
  connection.connection.stream?.destroy(new Error('it was closed'));
}

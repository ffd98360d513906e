import { answered, type Patience } from '../answered.ts';
import type { AmqpConnection } from './module.ts';

export { answered };

const ending = new WeakMap<AmqpConnection, Promise<void>>();

/**
 * Closes a connection, and ends within `timeoutMs` whatever becomes of it meanwhile. amqplib's own
 * `close` waits for the server's word alone: where the connection is reset before that comes, or
 * the server hangs, it waits for ever. Never rejects. All that were sent over a connection which is
 * lost end it: it is done once.
 */
export function endConnection(connection: AmqpConnection, patience: Patience): Promise<void> {
  const begun = ending.get(connection) ?? end(connection, patience);
  ending.set(connection, begun);
  return begun;
}

async function end(connection: AmqpConnection, patience: Patience): Promise<void> {
  const gone = new Promise<void>((resolve) => connection.on('close', resolve));
  // Rejects where it is closed already, which is what is wanted, and where the server is too late.
  await answered(Promise.race([connection.close(), gone]), patience).catch(() => {});
  // With an error amqplib ends its heartbeats too; they and the socket would keep the process alive.
  connection.connection.stream?.destroy(new Error('it was closed'));
}

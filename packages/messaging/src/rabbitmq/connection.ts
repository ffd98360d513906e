import type { AmqpConnection } from './module.ts';
import type { ResolvedRabbitOptions } from './options.ts';

type Patience = Pick<ResolvedRabbitOptions, 'clock' | 'timeoutMs'>;

/** What `work` comes to, unless the server takes longer over it than it may. */
export async function answered<T>(
  work: Promise<T>,
  { clock, timeoutMs }: Patience,
  what = 'answer',
): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = clock.timer(timeoutMs, () =>
    late.reject(new Error(`it did not ${what} within ${timeoutMs} ms`)),
  );
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    timer.cancel();
  }
}

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

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

/** How AMQP says that a user, its password or a virtual host is none: NOT_ALLOWED, ACCESS_REFUSED, INVALID_PATH. */
const SHUT_OUT = /\b(?:403|530|402)\b.*\b(?:ACCESS[-_]REFUSED|NOT[-_]ALLOWED|INVALID[-_]PATH)/s;
/** What amqplib says where the server has another way to sign in. */
const NO_WAY_IN = /^SASL mechanism .* is not provided/;
/** What amqplib says of a virtual host that RabbitMQ closes the connection for. */
const NO_HOST = /^Expected ConnectionOpenOk; got <ConnectionClose/;

/** RabbitMQ answered, and does not let us in. amqplib says so in words alone. */
export const isShutOut = (error: unknown): boolean =>
  error instanceof Error &&
  [SHUT_OUT, NO_WAY_IN, NO_HOST].some((words) => words.test(error.message));

/** Node puts the causes of a refused connection into an AggregateError whose own message is empty. */
export function whyOf(error: Error): string {
  if (NO_HOST.test(error.message)) {
    return 'it closed the connection, as it does where the virtual host of the address is not there or not for this user';
  }
  if (error.message !== '') return error.message;
  return 'code' in error ? String(error.code) : error.name;
}

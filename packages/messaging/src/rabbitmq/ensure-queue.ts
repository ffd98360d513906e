import type { DeadLetterQueue, QueueLayout } from './layout.ts';
import type { AmqpChannel, AmqpConnection, AmqpQueueOptions } from './module.ts';
import type { ResolvedRabbitOptions } from './options.ts';

/** A group's queue, and where it gets its messages from. */
export interface GroupQueue {
  readonly name: string;
  readonly exchange: string;
  /** One member is sent messages at a time; the others stand by. */
  readonly ordered: boolean;
  /** What others declare it as; undefined: as the options say. */
  readonly layout: QueueLayout | undefined;
  readonly rabbit: ResolvedRabbitOptions;
}

/** Makes the queue where it is missing, bound to nothing. Resolves with whether `look` found it missing. */
export async function ensureQueue(
  connection: AmqpConnection,
  channel: AmqpChannel,
  queue: GroupQueue,
  look: boolean,
): Promise<boolean> {
  const isNew = look && !(await isThere(connection, queue.name));
  const { autoDelete } = queue.rabbit;
  const dead = queue.layout?.deadLetters;
  if (dead !== undefined) {
    await channel.assertExchange(dead.exchange, 'fanout', { durable: true, autoDelete });
    if (!(await isThere(connection, dead.queue))) await makeDead(connection, dead, autoDelete);
    await channel.bindQueue(dead.queue, dead.exchange, '');
  }
  await channel.assertQueue(queue.name, optionsOf(connection, queue));
  return isNew;
}

/** Makes the exchange where it is missing, and has the queue get what is published to it. */
export async function bindQueue(
  channel: AmqpChannel,
  { exchange, layout, name, rabbit }: GroupQueue,
): Promise<void> {
  const { autoDelete, durable } = rabbit;
  await channel.assertExchange(exchange, rabbit.layout.exchangeKind, { durable, autoDelete });
  for (const routingKey of layout?.routingKeys ?? ['']) {
    await channel.bindQueue(name, exchange, routingKey);
  }
}

/** What nobody could handle outlives the server, whatever the queue itself does. */
async function makeDead(
  connection: AmqpConnection,
  { arguments: first, orArguments, queue }: DeadLetterQueue,
  autoDelete: boolean,
): Promise<void> {
  const made = (args: AmqpQueueOptions['arguments']) =>
    apart(connection, (channel) =>
      channel.assertQueue(queue, { durable: true, autoDelete, arguments: args }),
    );
  const refusal = await made(first);
  if (refusal === undefined) return;
  if (orArguments === undefined || codeOf(refusal) !== PRECONDITION_FAILED) throw refusal;
  const again = await made(orArguments);
  if (again !== undefined) throw again;
}

async function isThere(connection: AmqpConnection, name: string): Promise<boolean> {
  const refusal = await apart(connection, (channel) => channel.checkQueue(name));
  // Whatever else is wrong with it is said again when it is declared.
  return codeOf(refusal) !== NOT_FOUND;
}

const NOT_FOUND = 404;
const PRECONDITION_FAILED = 406;

const codeOf = (error: Error | undefined): unknown =>
  error !== undefined && 'code' in error ? error.code : undefined;

/** Over a channel of its own: RabbitMQ closes it with what it refuses. Resolves with that. */
async function apart(
  connection: AmqpConnection,
  ask: (channel: AmqpChannel) => Promise<unknown>,
): Promise<Error | undefined> {
  const channel = await connection.createChannel();
  // It is the rejection below.
  channel.on('error', () => {});
  try {
    await ask(channel);
  } catch (error) {
    return error as Error;
  }
  await channel.close();
  return undefined;
}

function optionsOf(
  { connection }: AmqpConnection,
  { layout, ordered, rabbit: { autoDelete, durable, queueType } }: GroupQueue,
): AmqpQueueOptions {
  if (layout !== undefined) return { durable, autoDelete, arguments: layout.arguments };
  const major = Number.parseInt(connection.serverProperties.version ?? '', 10);
  return {
    durable,
    autoDelete,
    arguments: {
      'x-queue-type': queueType,
      // The others stand by, so that order is kept over all members.
      ...(ordered ? { 'x-single-active-consumer': true } : {}),
      // Since 4.0 a quorum queue drops a message after 20 deliveries, unless told not to.
      ...(queueType === 'quorum' && major >= 4 ? { 'x-delivery-limit': -1 } : {}),
    },
  };
}

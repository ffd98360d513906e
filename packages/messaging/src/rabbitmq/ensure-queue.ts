import type { QueueLayout } from './layout.ts';
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
    // What nobody could handle outlives the server, whatever the queue itself does.
    await channel.assertExchange(dead.exchange, 'fanout', { durable: true, autoDelete });
    await channel.assertQueue(dead.queue, {
      durable: true,
      autoDelete,
      arguments: dead.arguments,
    });
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

/** Asked over a channel of its own: RabbitMQ closes it where the queue is not there. */
async function isThere(connection: AmqpConnection, name: string): Promise<boolean> {
  const channel = await connection.createChannel();
  // It is the rejection below.
  channel.on('error', () => {});
  try {
    await channel.checkQueue(name);
  } catch (error) {
    // Whatever else is wrong with it is said again when it is declared.
    return !(error instanceof Error && 'code' in error && error.code === 404);
  }
  await channel.close();
  return true;
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

import type { SubscribeOptions } from '../broker.ts';
import type { Message, OutgoingMessage } from '../message.ts';
import { messageOf } from './deliveries.ts';
import type { AmqpDelivery, AmqpPublishOptions, AmqpQueueOptions, ExchangeKind } from './module.ts';

/** How messages and queues lie in RabbitMQ, where others than this package read and declare them too. */
export interface RabbitLayout {
  /** Of every topic's exchange. */
  readonly exchangeKind: ExchangeKind;
  /** How a message leaves, beside what it has as a message of ours. Must not throw. */
  publishingOf(message: OutgoingMessage): Publishing;
  /** The queue of a group, in place of `GROUP-TOPIC`. */
  queueOf(topic: string, options: Pick<SubscribeOptions, 'group' | 'details'>): QueueLayout;
  messageOf(delivery: AmqpDelivery, topic: string, wallMs: number): Message;
}

export interface Publishing {
  readonly routingKey: string;
  readonly options: Partial<AmqpPublishOptions>;
}

export interface QueueLayout {
  readonly name: string;
  /** All of them: a queue that is there with others is refused. */
  readonly arguments: AmqpQueueOptions['arguments'];
  /** What it is bound with; one at least. */
  readonly routingKeys: readonly string[];
  /** Where messages go whose handler failed; undefined: they are handed over again. */
  readonly deadLetters?: DeadLetterQueue;
  /** A message whose handler failed is done with. @default false */
  readonly forgetsFailures?: boolean;
}

/** One that is there already is used as it is. */
export interface DeadLetterQueue {
  readonly exchange: string;
  readonly queue: string;
  readonly arguments: AmqpQueueOptions['arguments'];
  /** In their place where the kind of queue that the server makes does not know them. */
  readonly orArguments?: AmqpQueueOptions['arguments'];
}

/** A fanout exchange per topic, and messages as they are; queues are declared by the options. */
export const fanoutLayout: Omit<RabbitLayout, 'queueOf'> = {
  exchangeKind: 'fanout',
  publishingOf: () => ({ routingKey: '', options: {} }),
  messageOf,
};

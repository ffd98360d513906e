export { messageOf as rabbitMessageOf } from './deliveries.ts';
export type { DeadLetterQueue, Publishing, QueueLayout, RabbitLayout } from './layout.ts';
export type { AmqpDelivery, AmqpModule, AmqpPublishOptions, ExchangeKind } from './module.ts';
export { RABBIT_BROKER_DEFAULTS, type RabbitBrokerOptions, type RabbitTls } from './options.ts';
export { rabbitBroker } from './rabbit-broker.ts';

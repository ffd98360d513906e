export type { AmqpModule } from './module.ts';
export { RABBIT_BROKER_DEFAULTS, type RabbitBrokerOptions } from './options.ts';
export { rabbitBroker } from './rabbit-broker.ts';

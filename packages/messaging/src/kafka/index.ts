export { kafkaBroker } from './kafka-broker.ts';
export type { KafkaModule } from './module.ts';
export { KAFKA_BROKER_DEFAULTS, type KafkaBrokerOptions } from './options.ts';

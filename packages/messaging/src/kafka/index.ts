export type { KafkaAssignment } from './assigners/assignment.ts';
export { kafkaBroker } from './kafka-broker.ts';
export type { KafkaLayout } from './layout.ts';
export type {
  KafkaBearer,
  KafkaMessage,
  KafkaModule,
  KafkaPassword,
  KafkaRecord,
  KafkaSasl,
  KafkaTls,
} from './module.ts';
export { KAFKA_BROKER_DEFAULTS, type KafkaBrokerOptions, type KafkaIsolation } from './options.ts';
export { holdfastLayout } from './records.ts';

import type { Message, OutgoingMessage } from '../message.ts';
import type { KafkaMessage, KafkaRecord } from './module.ts';

/** How messages lie in Kafka, so that others that use the same topics can read them. */
export interface KafkaLayout {
  /** Throws, saying why, where this message can be no record: it is rejected for good. */
  recordOf(message: OutgoingMessage): KafkaRecord;
  /** The id must be the same at each delivery of one record. */
  messageOf(record: KafkaMessage): Message;
}

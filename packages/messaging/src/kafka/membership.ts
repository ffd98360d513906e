import type { Clock } from '@holdfast/core';
import type { KafkaConsumer } from './module.ts';

/**
 * Tells whether the group still counts on this consumer. A process that was stopped, or a network
 * that was away, for longer than the session hears of that only when it next asks: until then it
 * would go on with partitions that are another's.
 */
export function membership(
  consumer: KafkaConsumer,
  { clock, sessionTimeoutMs }: { readonly clock: Clock; readonly sessionTimeoutMs: number },
): () => boolean {
  let askedMs = 0;
  let untilMs = Number.POSITIVE_INFINITY;
  consumer.on('consumer:group:join', () => {
    untilMs = clock.now() + sessionTimeoutMs;
  });
  consumer.on('consumer:heartbeat:start', () => {
    askedMs = clock.now();
  });
  // The session began anew when the broker was asked, which was no earlier.
  consumer.on('consumer:heartbeat:end', () => {
    untilMs = askedMs + sessionTimeoutMs;
  });
  return () => clock.now() < untilMs;
}

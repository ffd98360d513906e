import type { OutboxStats } from '@holdfast/messaging';
import type { Metrics } from '@holdfast/telemetry';

/** What is known of an outbox: what waits, where its file can be read, and whether it refuses events. */
export type CountOutbox = (
  component: string,
  stats: OutboxStats | undefined,
  refusing: boolean,
) => void;

/** Registers the gauges of outboxes; what it returns sets those of one, as they are now. */
export function outboxMetrics(metrics: Metrics): CountOutbox {
  const gauge = (name: string, help: string) => metrics.gauge(name, help, ['component']);
  const queued = gauge('holdfast_outbox_queued', 'Events that wait to be handed to the broker.');
  const bytes = gauge('holdfast_outbox_queued_bytes', 'Bytes of the events that wait.');
  const oldest = gauge('holdfast_outbox_oldest_seconds', 'Age of the oldest event that waits.');
  const dead = gauge('holdfast_outbox_dead', 'Events that the broker will not take, kept aside.');
  const paused = gauge('holdfast_outbox_paused', 'Topics on pause, whose events wait.');
  const handed = gauge(
    'holdfast_outbox_handed_over',
    'Events that the broker has acknowledged since the outbox was made.',
  );
  const refuses = gauge(
    'holdfast_outbox_refusing',
    '1 where the last event offered was refused: the disk or the outbox is full, or its file cannot be used.',
  );
  return (component, stats, refusing) => {
    refuses.labels(component).set(refusing ? 1 : 0);
    if (stats === undefined) return;
    queued.labels(component).set(stats.queued);
    bytes.labels(component).set(stats.queuedBytes);
    oldest.labels(component).set(stats.oldestMs / 1_000);
    dead.labels(component).set(stats.dead);
    paused.labels(component).set(stats.paused.length);
    handed.labels(component).set(stats.successful);
  };
}

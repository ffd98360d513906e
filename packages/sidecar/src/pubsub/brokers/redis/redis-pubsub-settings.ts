import type { ComponentSettings } from '../../../components/component-settings.ts';
import { milliseconds } from '../../../components/milliseconds.ts';
import { wholeNumber, wholeNumberWithin } from '../../../components/whole-number.ts';

export interface RedisPubSubSettings {
  /** The group's name and, as in Dapr, its members': all who give the same share the events. */
  readonly consumerId: string;
  /** How long an event may be in hand before another gets it. */
  readonly processingTimeoutMs: number;
  /** How often to look for such events. */
  readonly redeliverIntervalMs: number;
  /** Events taken from a topic at once; no more are in memory per topic. */
  readonly queueDepth: number;
  /** Events in the application at a time. */
  readonly concurrency: number;
  /** About how many events a stream keeps; 0: all. */
  readonly maxLength: number;
  /** What the application fails over, after inbound policies, is done with. */
  readonly ackOnError: boolean;
  /** Events older than this are forgotten when one is published; 0: never. */
  readonly streamTtlMs: number;
}

const QUEUE_DEPTH = 100;

/** @throws Error that names the item and the rule. */
export function redisPubSubSettings(
  settings: ComponentSettings,
  names: { readonly appId: string },
): RedisPubSubSettings {
  return {
    consumerId: settings.text('consumerID') ?? names.appId,
    processingTimeoutMs: milliseconds(settings, 'processingTimeout', 60_000),
    redeliverIntervalMs: milliseconds(settings, 'redeliverInterval', 15_000),
    // With 0 daprd sets no limit; events come either way.
    queueDepth:
      wholeNumberWithin(settings, 'queueDepth', { byDefault: 0, least: 0 }) || QUEUE_DEPTH,
    concurrency: wholeNumberWithin(settings, 'concurrency', { byDefault: 10, least: 1 }),
    ackOnError: settings.flag('ackOnError'),
    maxLength: Math.max(0, wholeNumber(settings, 'maxLenApprox', 0)),
    streamTtlMs: milliseconds(settings, 'streamTTL', 0),
  };
}

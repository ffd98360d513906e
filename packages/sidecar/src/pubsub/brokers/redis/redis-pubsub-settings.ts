import type { ComponentSettings } from '../../../components/component-settings.ts';
import { milliseconds, wholeNumber } from '../../../redis/redis-settings.ts';

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

/** @throws Error that names the item and the rule. */
export function redisPubSubSettings(
  settings: ComponentSettings,
  names: { readonly appId: string },
): RedisPubSubSettings {
  return {
    consumerId: settings.text('consumerID') ?? names.appId,
    processingTimeoutMs: milliseconds(settings, 'processingTimeout', 60_000),
    redeliverIntervalMs: milliseconds(settings, 'redeliverInterval', 15_000),
    queueDepth: atLeast(settings, 'queueDepth', 100, 1),
    concurrency: atLeast(settings, 'concurrency', 10, 1),
    ackOnError: settings.flag('ackOnError'),
    maxLength: atLeast(settings, 'maxLenApprox', 0, 0),
    streamTtlMs: milliseconds(settings, 'streamTTL', 0),
  };
}

function atLeast(settings: ComponentSettings, name: string, byDefault: number, least: number) {
  const value = wholeNumber(settings, name, byDefault);
  if (value >= least) return value;
  throw new Error(
    `component ${settings.component}: metadata ${name} must be at least ${least}, not ${value}`,
  );
}

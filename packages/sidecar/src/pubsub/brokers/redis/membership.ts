import type { RedisPubSubSettings } from './redis-pubsub-settings.ts';

/** As whom a sidecar takes events, and when what it has counts as left behind. */
export interface Membership {
  /** Its name in the group. */
  readonly member: string;
  /** What nobody has claimed for so long is anybody's. */
  readonly leftAfterMs: number;
  /** How often such entries are looked for. */
  readonly lookMs: number;
  /** The application has so long for an event; absent: all the time. */
  readonly limitMs?: number;
  /** What the application fails over goes to the member of this name, whose entries nobody looks for; absent: it comes again. */
  readonly failedTo?: string;
}

/** daprd has every member of a group under the name of the group. */
const OWN_MEMBER = 'holdfast';
const LEFT_AFTER_MS = 60_000;
const LOOK_MS = 15_000;

/**
 * With a redelivery, Dapr's. Without, what the application failed over must not come again, and what was in
 * the hand of a sidecar that ended must, or it would be lost: so what is in hand stands under a name of its own,
 * apart from what failed and from what a daprd has, which does not say that it still has it.
 */
export function membership(settings: RedisPubSubSettings): Membership {
  const { consumerId, processingTimeoutMs, redeliverIntervalMs } = settings;
  const limit = processingTimeoutMs > 0 ? { limitMs: processingTimeoutMs } : {};
  if (processingTimeoutMs > 0 && redeliverIntervalMs > 0) {
    return {
      ...{ member: consumerId, leftAfterMs: processingTimeoutMs, lookMs: redeliverIntervalMs },
      ...limit,
    };
  }
  return {
    ...{ member: OWN_MEMBER, leftAfterMs: LEFT_AFTER_MS, lookMs: LOOK_MS },
    ...{ failedTo: consumerId, ...limit },
  };
}

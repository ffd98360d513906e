import { type Clock, systemClock } from '@holdfast/core';
import { checkInteger } from './check.ts';
import type { MessageStore } from './store.ts';

/** Beyond these `accept` refuses: a queue without end only moves the failure to the disk. */
export interface OutboxLimits {
  /** Messages waiting. @default 1_000_000 (1 …) */
  readonly maxMessages?: number;
  /** Bytes of one body. @default 1_048_576 (1 …) */
  readonly maxBodyBytes?: number;
  /** Bytes of all that wait. @default 1_073_741_824 (1 …) */
  readonly maxBytes?: number;
}

export interface OutboxOptions {
  readonly store: MessageStore;
  /** @default systemClock */
  readonly clock?: Clock;
  readonly limits?: OutboxLimits;
}

export const OUTBOX_DEFAULTS = {
  clock: systemClock,
  limits: { maxMessages: 1_000_000, maxBodyBytes: 1_048_576, maxBytes: 1_073_741_824 },
} as const;

export interface ResolvedOutboxOptions {
  readonly store: MessageStore;
  readonly clock: Clock;
  readonly limits: Required<OutboxLimits>;
}

export function resolveOutboxOptions(given: OutboxOptions): ResolvedOutboxOptions {
  const limits = { ...OUTBOX_DEFAULTS.limits, ...given.limits };
  const most = Number.MAX_SAFE_INTEGER;
  checkInteger('outbox.limits.maxMessages', limits.maxMessages, 1, most);
  checkInteger('outbox.limits.maxBodyBytes', limits.maxBodyBytes, 1, most);
  checkInteger('outbox.limits.maxBytes', limits.maxBytes, 1, most);
  return { store: given.store, clock: given.clock ?? OUTBOX_DEFAULTS.clock, limits };
}

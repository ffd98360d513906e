import { type Clock, systemClock } from '@holdfast/core';
import { checkInteger } from './check.ts';
import type { DeadRetention, MessageStore } from './store.ts';
import type { MessageTracer } from './trace/message-tracer.ts';

/** Beyond these `accept` refuses: a queue without end only moves the failure to the disk. */
export interface OutboxLimits {
  /** Messages waiting. @default 1_000_000 (1 …) */
  readonly maxMessages?: number;
  /** Bytes of one body. @default 1_048_576 (1 …) */
  readonly maxBodyBytes?: number;
  /** Bytes of all that wait. @default 1_073_741_824 (1 …) */
  readonly maxBytes?: number;
}

/** What is forgotten of dead letters without anybody having looked at it. */
export interface DeadLetterRetention extends DeadRetention {
  /** Forgotten when it has been dead for longer. @default never (1 … 10 years) */
  readonly maxAgeMs?: number;
  /** Of more than so many, those that have been dead the longest are forgotten. @default no limit (0 …) */
  readonly maxCount?: number;
  /** How often it looks. @default 60_000 ms (10 … 86_400_000) */
  readonly sweepMs?: number;
}

export interface OutboxOptions {
  readonly store: MessageStore;
  /** @default systemClock */
  readonly clock?: Clock;
  readonly limits?: OutboxLimits;
  /** @default dead letters are kept until somebody replays or discards them */
  readonly deadRetention?: DeadLetterRetention;
  /**
   * Records a span for each message accepted, and for each that its relays publish; the message
   * carries the place in its trace. Costs what the tracer costs. @default nobody: headers stay as they are
   */
  readonly tracer?: MessageTracer;
}

export const OUTBOX_DEFAULTS = {
  clock: systemClock,
  limits: { maxMessages: 1_000_000, maxBodyBytes: 1_048_576, maxBytes: 1_073_741_824 },
  deadSweepMs: 60_000,
} as const;

export interface ResolvedOutboxOptions {
  readonly store: MessageStore;
  readonly clock: Clock;
  readonly limits: Required<OutboxLimits>;
  readonly deadRetention: (DeadRetention & { readonly sweepMs: number }) | undefined;
  readonly tracer: MessageTracer | undefined;
}

export function resolveOutboxOptions(given: OutboxOptions): ResolvedOutboxOptions {
  const limits = { ...OUTBOX_DEFAULTS.limits, ...given.limits };
  const most = Number.MAX_SAFE_INTEGER;
  checkInteger('outbox.limits.maxMessages', limits.maxMessages, 1, most);
  checkInteger('outbox.limits.maxBodyBytes', limits.maxBodyBytes, 1, most);
  checkInteger('outbox.limits.maxBytes', limits.maxBytes, 1, most);
  const { store, clock = OUTBOX_DEFAULTS.clock, deadRetention, tracer } = given;
  const keep = deadRetention && resolveRetention(deadRetention);
  return { store, clock, limits, deadRetention: keep, tracer };
}

const LONGEST_AGE_MS = 10 * 366 * 86_400_000;

function resolveRetention(given: DeadLetterRetention) {
  const keep = { sweepMs: OUTBOX_DEFAULTS.deadSweepMs, ...given };
  const name = 'outbox.deadRetention';
  const { maxAgeMs, maxCount, sweepMs } = keep;
  if (maxAgeMs !== undefined) checkInteger(`${name}.maxAgeMs`, maxAgeMs, 1, LONGEST_AGE_MS);
  if (maxCount !== undefined) {
    checkInteger(`${name}.maxCount`, maxCount, 0, Number.MAX_SAFE_INTEGER);
  }
  checkInteger(`${name}.sweepMs`, sweepMs, 10, 86_400_000);
  return keep;
}

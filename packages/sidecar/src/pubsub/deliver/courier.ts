import type { Envelope } from '../envelope.ts';

/** Brings events to the application; there is one for each way to it. */
export interface Courier {
  /** What Dapr counts where the application drops an event: its answer was good, but to a stream it is a drop. */
  readonly countsDropAs: 'success' | 'drop';
  /** What the application says of it. Rejects, as `DeliveryError` where it has spoken, when it is to be brought again. */
  bring(delivery: Delivery, signal?: AbortSignal): Promise<Verdict>;
  /**
   * What the application says of each entry, in Dapr's words, by entry id; an
   * entry it does not speak of is brought again. Rejects when all are to be.
   */
  bringBulk(delivery: BulkDelivery, signal?: AbortSignal): Promise<ReadonlyMap<string, string>>;
}

/**
 * `drop`: the application says that it does not want it, which is an answer like
 * another; `lost`: nobody there will ever take it.
 */
export type Verdict = 'success' | 'drop' | 'lost';

export interface Delivery {
  readonly pubsub: string;
  /** The one it came from, which may be more exact than what was subscribed to. */
  readonly topic: string;
  /** Where in the application, as the rules have it. */
  readonly path: string;
  readonly event: Envelope;
  /** The event as its publisher wrote it; absent where the broker had it without an envelope. */
  readonly written?: Buffer;
  readonly metadata: Readonly<Record<string, string>>;
}

export interface BulkDelivery extends Omit<Delivery, 'event' | 'written' | 'metadata'> {
  readonly entries: readonly BulkDeliveryEntry[];
}

export interface BulkDeliveryEntry {
  readonly entryId: string;
  /** An envelope, or the bytes of a raw event in base64. */
  readonly event: Envelope | string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly contentType: string;
}

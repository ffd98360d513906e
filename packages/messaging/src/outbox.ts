import type { Broker } from './broker.ts';
import type { DeadLetters } from './dead/dead-letters.ts';
import type { NewMessage, Receipt } from './message.ts';
import { openQueue, type PauseChoice } from './open-queue.ts';
import type { OutboxOptions } from './outbox-options.ts';
import { type Relay, type RelayOptions, startRelay } from './relay/relay.ts';
import type { MessageStatus, QueuedPage, StoreStats } from './store.ts';

/** `{ queued, queuedBytes, successful, dead, oldestMs, paused }`; survives restarts. */
export type OutboxStats = StoreStats;

/** Keeps messages on disk until a broker has them. */
export interface Outbox {
  /**
   * Keeps all of `messages` or none. Resolves when they are on disk (fsync): what was accepted
   * survives a SIGKILL and a power cut. Rejects with `OutboxRefusedError` where it cannot promise
   * that, and with a `TypeError` for a message that cannot be sent at all.
   */
  accept(messages: readonly NewMessage[]): Promise<readonly Receipt[]>;

  /** Rejects with `OutboxRefusedError` while the store cannot be read. */
  stats(): Promise<OutboxStats>;

  /** What became of a message; undefined for an unknown id, or one delivered long ago. */
  find(id: string): Promise<MessageStatus | undefined>;

  /**
   * What waits, in order, leased messages included. `limit`: @default 100 (1 … 1_000). `after`: the
   * `next` of the page before.
   */
  waiting(options?: { readonly limit?: number; readonly after?: number }): Promise<QueuedPage>;

  /**
   * Has relays leave a topic's messages where they are, in all processes and across restarts, until it is resumed or
   * `forMs` is over; what a relay has in hand goes on. `stats().paused` says which are. False where it was paused already: the end it
   * has then is this one.
   */
  pause(choice: PauseChoice): Promise<boolean>;
  /** Ends a pause. False where there was none. */
  resume(choice: { readonly topic: string }): Promise<boolean>;

  /** Begins to hand messages to `broker`, and goes on until it is stopped. */
  relay(broker: Broker, options?: RelayOptions): Relay;

  readonly dead: DeadLetters;

  /** Stops its relays, answers what was being accepted, closes the store. The broker stays open. */
  close(): Promise<void>;
}

/**
 * Opens an outbox. A store that cannot be used now does not stop a service from starting:
 * `accept` refuses with `OUTBOX_UNAVAILABLE`, and works as soon as the store does.
 */
export async function openOutbox(given: OutboxOptions): Promise<Outbox> {
  const { store, clock, attach, tracer, ...queue } = await openQueue(given);
  const shared = { clock, ...(tracer && { tracer }) };
  return {
    ...queue,
    relay: (broker, options = {}) => attach(startRelay(store, broker, { ...shared, ...options })),
  };
}

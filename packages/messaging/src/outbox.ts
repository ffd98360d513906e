import { AcceptQueue, unavailable } from './accept-queue.ts';
import type { Broker } from './broker.ts';
import { checkInteger } from './check.ts';
import { type DeadLetters, deadLetters } from './dead/dead-letters.ts';
import { startDeadSweep } from './dead/dead-sweep.ts';
import { OutboxRefusedError } from './errors.ts';
import type { NewMessage, Receipt } from './message.ts';
import { completeMessage } from './new-message.ts';
import { type OutboxOptions, resolveOutboxOptions } from './outbox-options.ts';
import { type Relay, type RelayOptions, startRelay } from './relay/relay.ts';
import type { MessageStatus, QueuedPage, StoreStats } from './store.ts';
import { traceAccept } from './trace/accept-spans.ts';

/** `{ queued, queuedBytes, successful, dead, oldestMs }`; survives restarts. */
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
  const { store, clock, limits, deadRetention: keep, tracer } = resolveOutboxOptions(given);
  const relays = new Set<Relay>();
  const ring = () => {
    for (const relay of relays) relay.wake();
  };
  const queue = new AcceptQueue(store, limits, ring);
  let closed: Promise<void> | undefined;

  const opened = await store.open().catch(unavailable);
  if (opened instanceof Error && !(opened instanceof OutboxRefusedError)) throw opened;
  const unwatch = store.watch?.(ring);
  const sweep = keep && startDeadSweep(store, { clock, keep, everyMs: keep.sweepMs });

  return {
    async accept(messages) {
      if (closed !== undefined) {
        throw new OutboxRefusedError('OUTBOX_CLOSED', 'The outbox was closed by this process.');
      }
      if (messages.length === 0) return [];
      const wallMs = clock.wallMs();
      const group = messages.map((each) => completeMessage(each, limits.maxBodyBytes, wallMs));
      if (tracer === undefined) return queue.add(group);
      return traceAccept(tracer, group, (traced) => queue.add(traced));
    },
    stats: () => store.stats().catch(rethrowUnavailable),
    find: (id) => store.find(id).catch(rethrowUnavailable),
    async waiting({ limit = 100, after } = {}) {
      checkInteger('waiting.limit', limit, 1, 1_000);
      return store
        .listQueued(after === undefined ? { limit } : { limit, after })
        .catch(rethrowUnavailable);
    },
    relay(broker, options = {}) {
      const relay = startRelay(store, broker, { clock, ...(tracer && { tracer }), ...options });
      relays.add(relay);
      void relay.ended.then(() => relays.delete(relay));
      return relay;
    },
    dead: deadLetters(store, { clock, maxBodyBytes: limits.maxBodyBytes, changed: ring }),
    close() {
      closed ??= (async () => {
        await queue.settled();
        await Promise.all([...relays].map((relay) => relay.stop()));
        await sweep?.stop();
        unwatch?.();
        await store.close();
      })();
      return closed;
    },
  };
}

function rethrowUnavailable(error: unknown): never {
  throw unavailable(error);
}

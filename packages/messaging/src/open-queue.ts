import type { Clock } from '@holdfast/core';
import { AcceptQueue, unavailable } from './accept/accept-queue.ts';
import { checkName, completeMessage } from './accept/new-message.ts';
import { checkInteger } from './check.ts';
import { type DeadLetters, deadLetters } from './dead/dead-letters.ts';
import { startDeadSweep } from './dead/dead-sweep.ts';
import { OutboxRefusedError } from './errors.ts';
import { LONGEST_WAIT_MS } from './hold.ts';
import type { NewMessage, Receipt } from './message.ts';
import { type OutboxOptions, resolveOutboxOptions } from './outbox-options.ts';
import type { MessageStatus, MessageStore, QueuedPage, StoreStats } from './store.ts';
import { traceAccept } from './trace/accept-spans.ts';
import type { MessageTracer } from './trace/message-tracer.ts';

/** Which topic to pause, and for how long. */
export interface PauseChoice {
  readonly topic: string;
  /** Then it goes on by itself. @default until it is resumed (1 … 2^31 − 1 ms: 24.8 days) */
  readonly forMs?: number;
}

/** Takes messages out of a store: a relay, a worker. */
export interface Consumer {
  /** Looks for messages now instead of at its next poll. */
  wake(): void;
  stop(): Promise<void>;
  /** Resolves when it has stopped. */
  readonly ended: Promise<void>;
}

/** What an outbox and a queue of jobs have in common: a store, its way in, its dead, and who empties it. */
export interface Queue {
  readonly store: MessageStore;
  readonly clock: Clock;
  readonly tracer: MessageTracer | undefined;
  readonly dead: DeadLetters;
  accept(messages: readonly NewMessage[]): Promise<readonly Receipt[]>;
  stats(): Promise<StoreStats>;
  find(id: string): Promise<MessageStatus | undefined>;
  pause(choice: PauseChoice): Promise<boolean>;
  resume(choice: { readonly topic: string }): Promise<boolean>;
  waiting(options?: { readonly limit?: number; readonly after?: number }): Promise<QueuedPage>;
  /** Wakes `consumer` whenever there may be something for it, and stops it when the queue is closed. */
  attach<C extends Consumer>(consumer: C): C;
  /** Stops its consumers, answers what was being accepted, closes the store. */
  close(): Promise<void>;
}

/** Opens a store and what every queue on one has. Rejects where it was given nonsense, not where the store is away. */
export async function openQueue(given: OutboxOptions): Promise<Queue> {
  const { store, clock, limits, deadRetention: keep, tracer } = resolveOutboxOptions(given);
  const consumers = new Set<Consumer>();
  const ring = () => {
    for (const consumer of consumers) consumer.wake();
  };
  const queue = new AcceptQueue(store, limits, ring);
  let closed: Promise<void> | undefined;

  const opened = await store.open().catch(unavailable);
  if (opened instanceof Error && !(opened instanceof OutboxRefusedError)) throw opened;
  const unwatch = store.watch?.(ring);
  const sweep = keep && startDeadSweep(store, { clock, keep, everyMs: keep.sweepMs });

  return {
    store,
    clock,
    tracer,
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
    async pause({ topic, forMs }) {
      checkName('topic', topic);
      if (forMs !== undefined) checkInteger('pause.forMs', forMs, 1, LONGEST_WAIT_MS);
      return store.pause(topic, forMs).catch(rethrowUnavailable);
    },
    async resume({ topic }) {
      checkName('topic', topic);
      const resumed = await store.resume(topic).catch(rethrowUnavailable);
      ring();
      return resumed;
    },
    async waiting({ limit = 100, after } = {}) {
      checkInteger('waiting.limit', limit, 1, 1_000);
      return store
        .listQueued(after === undefined ? { limit } : { limit, after })
        .catch(rethrowUnavailable);
    },
    attach(consumer) {
      consumers.add(consumer);
      void consumer.ended.then(() => consumers.delete(consumer));
      return consumer;
    },
    dead: deadLetters(store, { clock, maxBodyBytes: limits.maxBodyBytes, changed: ring }),
    close() {
      closed ??= (async () => {
        await queue.settled();
        await Promise.all([...consumers].map((consumer) => consumer.stop()));
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

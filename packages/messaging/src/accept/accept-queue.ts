import { OutboxRefusedError, StoreUnavailableError } from '../errors.ts';
import type { Receipt } from '../message.ts';
import type { AppendMessage, AppendResult, MessageStore, StoreLimits } from '../store.ts';

interface Waiting {
  readonly messages: readonly AppendMessage[];
  readonly resolve: (receipts: readonly Receipt[]) => void;
  readonly reject: (error: unknown) => void;
}

/** How long a caller should wait for the relay to make room in a full queue. */
const FULL_RETRY_MS = 1_000;

/**
 * Group commit: all calls of one turn of the event loop become one transaction,
 * and so pay for one flush of the disk together. Calls that come while a store
 * is busy form the next group.
 */
export class AcceptQueue {
  readonly #store: MessageStore;
  readonly #limits: StoreLimits;
  readonly #kept: () => void;
  #waiting: Waiting[] = [];
  #waitingMessages = 0;
  #flushing: Promise<void> | undefined;

  /** `kept` is called after each commit that added messages. */
  constructor(store: MessageStore, limits: StoreLimits, kept: () => void) {
    this.#store = store;
    this.#limits = limits;
    this.#kept = kept;
  }

  add(messages: readonly AppendMessage[]): Promise<readonly Receipt[]> {
    // A slow store must not turn this process's memory into the queue.
    if (this.#waitingMessages + messages.length > this.#limits.maxMessages) {
      return Promise.reject(full(this.#waitingMessages, this.#limits));
    }
    this.#waitingMessages += messages.length;
    this.#flushing ??= this.#flushAll();
    return new Promise((resolve, reject) => {
      this.#waiting.push({ messages, resolve, reject });
    });
  }

  /** Resolves when everything added so far has been answered. */
  async settled(): Promise<void> {
    await this.#flushing;
  }

  async #flushAll(): Promise<void> {
    do {
      await endOfTurn();
      const waiting = this.#waiting;
      this.#waiting = [];
      this.#waitingMessages = 0;
      await this.#flush(waiting);
    } while (this.#waiting.length > 0);
    this.#flushing = undefined;
  }

  async #flush(waiting: readonly Waiting[]): Promise<void> {
    let results: readonly AppendResult[];
    try {
      const groups = waiting.map(({ messages }) => messages);
      results = await this.#store.append(groups, this.#limits);
    } catch (error) {
      const refusal = unavailable(error);
      for (const { reject } of waiting) reject(refusal);
      return;
    }
    waiting.forEach((call, index) => {
      this.#answer(call, results[index]);
    });
    if (results.some(({ kind }) => kind === 'kept')) this.#kept();
  }

  #answer({ messages, resolve, reject }: Waiting, result: AppendResult | undefined): void {
    if (result === undefined) throw new Error('unreachable: a store answers for every group');
    switch (result.kind) {
      case 'kept':
        resolve(
          messages.map(({ id }, index) => ({ id, duplicate: result.duplicates[index] === true })),
        );
        return;
      case 'full':
        reject(full(result.queued, this.#limits, result.queuedBytes));
    }
  }
}

/** A store's failure as the caller of the outbox is told of it; anything else is passed on. */
export function unavailable(error: unknown): unknown {
  if (!(error instanceof StoreUnavailableError)) return error;
  return new OutboxRefusedError(
    'OUTBOX_UNAVAILABLE',
    `The outbox cannot keep anything now: ${error.message}`,
    error.retryAfterMs,
    error,
  );
}

function full(queued: number, limits: StoreLimits, queuedBytes = 0): OutboxRefusedError {
  return new OutboxRefusedError(
    'OUTBOX_FULL',
    `The outbox is full: ${queued} messages and ${queuedBytes} bytes wait, of at most ${limits.maxMessages} and ${limits.maxBytes}. It empties when the broker takes messages again.`,
    FULL_RETRY_MS,
  );
}

const endOfTurn = () => new Promise<void>((resolve) => setImmediate(resolve));

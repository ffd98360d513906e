import { randomUUID } from 'node:crypto';
import type { Clock, Timer } from '@holdfast/core';
import type { PubSubMessage } from '../pubsub.ts';

/** How many events are brought together, and how long the first waits for company. */
export interface BulkLimits {
  readonly maxMessages: number;
  readonly maxAwaitMs: number;
}

/** An event among others; the id is ours, for the time of one bulk. */
export interface BulkEntry {
  readonly entryId: string;
  readonly message: PubSubMessage;
}

/** Resolves with the entries that the broker is to have back. */
export type DeliverBulk = (entries: readonly BulkEntry[]) => Promise<ReadonlyMap<string, Error>>;

interface Waiting extends BulkEntry {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Gathers what a broker hands over one by one: a bulk is brought when it is full
 * or its first event has waited long enough, and one at a time, so that what
 * comes meanwhile makes the next.
 */
export class BulkGatherer {
  readonly #limits: BulkLimits;
  readonly #clock: Clock;
  readonly #deliver: DeliverBulk;
  #waiting: Waiting[] = [];
  #timer: Timer | undefined;
  #bringing = false;
  #due = false;
  #hurried = false;

  constructor(limits: BulkLimits, clock: Clock, deliver: DeliverBulk) {
    this.#limits = limits;
    this.#clock = clock;
    this.#deliver = deliver;
  }

  /** Settles as its entry does; rejects as well when `signal` aborts before it was brought. */
  take(message: PubSubMessage, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(signal.reason);
        return;
      }
      const entry: Waiting = { entryId: randomUUID(), message, resolve, reject };
      this.#waiting.push(entry);
      signal?.addEventListener('abort', () => this.#leave(entry, signal.reason), { once: true });
      this.#look();
    });
  }

  /** From now on nothing waits for company. */
  hurry(): void {
    this.#hurried = true;
    this.#look();
  }

  #leave(entry: Waiting, reason: unknown): void {
    if (!this.#waiting.includes(entry)) return;
    this.#waiting = this.#waiting.filter((other) => other !== entry);
    if (this.#waiting.length === 0) this.#forgetTimer();
    entry.reject(reason);
  }

  #look(): void {
    if (this.#bringing || this.#waiting.length === 0) return;
    const { maxAwaitMs, maxMessages } = this.#limits;
    if (this.#due || this.#hurried || this.#waiting.length >= maxMessages) void this.#bring();
    else {
      this.#timer ??= this.#clock.timer(maxAwaitMs, () => {
        this.#timer = undefined;
        this.#due = true;
        this.#look();
      });
    }
  }

  #forgetTimer(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  async #bring(): Promise<void> {
    this.#forgetTimer();
    this.#due = false;
    this.#bringing = true;
    const batch = this.#waiting.splice(0, this.#limits.maxMessages);
    try {
      const failed = await this.#deliver(batch);
      for (const { entryId, reject, resolve } of batch) {
        const error = failed.get(entryId);
        if (error === undefined) resolve();
        else reject(error);
      }
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
    this.#bringing = false;
    this.#look();
  }
}

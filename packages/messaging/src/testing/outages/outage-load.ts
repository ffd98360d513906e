import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '@holdfast/core';
import type { Broker } from '../../broker.ts';
import { BrokerRejectedError } from '../../errors.ts';
import type { OutgoingMessage } from '../../message.ts';

/** Publishes batch after batch, each until it is taken, as a relay does. */
export class OutageLoad {
  readonly #broker: Broker;
  readonly #topic: string;
  readonly #random: Random;
  readonly #over: AbortSignal;
  readonly published: OutgoingMessage[] = [];
  /** The number of the next message. */
  next = 0;
  /** Sendings of a message that failed, whatever became of them. */
  failed = 0;
  /** When a message was said to be taken. */
  readonly #takenMs = new Map<string, number>();
  #stopped = false;

  constructor(broker: Broker, topic: string, random: Random, over: AbortSignal) {
    this.#over = over;
    this.#broker = broker;
    this.#topic = topic;
    this.#random = random;
  }

  async run(): Promise<void> {
    while (!this.#stopped && !this.#over.aborted) {
      const size = 1 + Math.floor(this.#random.next() * 8);
      const batch = Array.from({ length: size }, () => this.#message());
      await this.#deliver(batch);
      this.published.push(...batch);
      await sleep(10);
    }
  }

  stop(): void {
    this.#stopped = true;
  }

  takenBetween(fromMs: number, untilMs: number): string[] {
    const all = [...this.#takenMs];
    return all.filter(([, ms]) => ms >= fromMs && ms <= untilMs).map(([id]) => id);
  }

  isAfter(id: string, number: number): boolean {
    return Number(id.slice(1)) >= number;
  }

  #message(): OutgoingMessage {
    const number = this.next;
    this.next += 1;
    const body = Buffer.from(`body of ${number}`);
    return { id: `m${number}`, topic: this.#topic, key: `key-${number % 3}`, body, headers: {} };
  }

  async #deliver(batch: readonly OutgoingMessage[]): Promise<void> {
    let left = batch;
    while (!this.#over.aborted) {
      try {
        await this.#broker.publish(left);
        this.#take(left.map(({ id }) => id));
        return;
      } catch (error) {
        if (error instanceof BrokerRejectedError) {
          const { taken } = error;
          this.#take(taken);
          left = left.filter(({ id }) => !taken.has(id));
        }
        this.failed += left.length;
        await sleep(50);
      }
    }
  }

  #take(ids: Iterable<string>): void {
    for (const id of ids) this.#takenMs.set(id, performance.now());
  }
}

import type { Clock, Timer } from '@holdfast/core';
import type { JetStreamMessage } from './module.ts';

export type Answerable = Pick<JetStreamMessage, 'ack' | 'nak' | 'working'>;

/**
 * The messages a member was sent and has not answered. The server is told at
 * intervals that they are still in hand, so that a handler may take its time
 * and a message may wait to be tried again.
 */
export class InHand {
  readonly #clock: Clock;
  readonly #intervalMs: number;
  readonly #messages = new Set<Answerable>();
  #timer: Timer | undefined;
  #waiting: (() => void)[] = [];
  #awake = false;
  #stopped = false;

  constructor(clock: Clock, intervalMs: number) {
    this.#clock = clock;
    this.#intervalMs = intervalMs;
  }

  get count(): number {
    return this.#messages.size;
  }

  /** Whether what is in it is nobody's any more: the connection is gone. */
  get stopped(): boolean {
    return this.#stopped;
  }

  add(message: Answerable): void {
    this.#messages.add(message);
    this.#timer ??= this.#clock.timer(this.#intervalMs, () => this.#sayAll());
  }

  acknowledge(message: Answerable): void {
    this.#answer(message, () => message.ack());
  }

  /** It comes again, to any member, after `delayMs`. */
  postpone(message: Answerable, delayMs: number): void {
    this.#answer(message, () => message.nak(delayMs));
  }

  /** Resolves when fewer than `count` are in hand, or nobody is to wait for that. */
  async fewerThan(count: number): Promise<void> {
    while (this.#messages.size >= count && !this.#awake) {
      await new Promise<void>((look) => this.#waiting.push(look));
    }
  }

  /** Nobody is to wait for room any more. */
  wake(): void {
    this.#awake = true;
    this.#look();
  }

  /** What was not handled goes to another member, or to the next of this one, at once. */
  giveBack(): void {
    for (const message of this.#messages) answer(() => message.nak());
    this.#messages.clear();
  }

  /** Says nothing more: the connection is gone, or nothing is in hand. */
  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
    this.#messages.clear();
    this.wake();
  }

  #answer(message: Answerable, say: () => void): void {
    if (!this.#messages.delete(message)) return;
    answer(say);
    this.#look();
  }

  #look(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const look of waiting) look();
  }

  #sayAll(): void {
    this.#timer = undefined;
    if (this.#stopped || this.#messages.size === 0) return;
    for (const message of this.#messages) answer(() => message.working());
    this.#timer = this.#clock.timer(this.#intervalMs, () => this.#sayAll());
  }
}

function answer(say: () => void): void {
  try {
    say();
  } catch {
    // The connection is gone, which the subscriber sees too; the message comes again.
  }
}

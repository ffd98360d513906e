import type { Clock } from '@holdfast/core';
import type { OutboxRefusedError } from '@holdfast/messaging';
import type { Logger } from '@holdfast/telemetry/log';

/** A full disk refuses thousands of events in a second: the log has one line of it a minute. */
const EVERY_MS = 60_000;

/** What the outbox itself is the reason for; an event that is too large is its sender's affair. */
const OURS: ReadonlySet<unknown> = new Set<OutboxRefusedError['code']>([
  'OUTBOX_UNAVAILABLE',
  'OUTBOX_FULL',
]);

/** Why an outbox takes no events. */
export interface Refusal {
  readonly code: OutboxRefusedError['code'];
  /** With the file or the limits, and the remedy. */
  readonly why: string;
  /** The first of those refused in a row came then, by the wall clock. */
  readonly sinceWallMs: number;
}

/** Knows whether an outbox refuses events, as of the last that was offered. */
export class Refusals {
  readonly #component: string;
  readonly #clock: Clock;
  readonly #log: Logger;
  #now: Refusal | undefined;
  #toldMs = Number.NEGATIVE_INFINITY;
  /** The log's last word is that events are refused. */
  #told = false;

  constructor(component: string, { clock, log }: { readonly clock: Clock; readonly log: Logger }) {
    this.#component = component;
    this.#clock = clock;
    this.#log = log;
  }

  /** Undefined where the last event was taken, or none was offered yet. */
  get now(): Refusal | undefined {
    return this.#now;
  }

  /** Tells the log what clients alone would hear of. Hands on what becomes of `accept`. */
  async hear<Accepted>(accept: Promise<Accepted>): Promise<Accepted> {
    try {
      const accepted = await accept;
      this.#now = undefined;
      // At its limit an outbox refuses and takes by turns: a pair of lines a minute is enough of that too.
      if (this.#told) this.#log.info(`Events of ${this.#component} are taken again.`);
      this.#told = false;
      return accepted;
    } catch (error) {
      this.#refused(error as OutboxRefusedError);
      throw error;
    }
  }

  #refused({ code, message: why }: OutboxRefusedError): void {
    if (!OURS.has(code)) return;
    this.#now = { code, why, sinceWallMs: this.#now?.sinceWallMs ?? this.#clock.wallMs() };
    if (this.#clock.now() - this.#toldMs < EVERY_MS) return;
    this.#toldMs = this.#clock.now();
    this.#told = true;
    this.#log.error(`Events of ${this.#component} are refused: ${why}`);
  }
}

import type { Clock } from '@holdfast/core';

/** What the database's clock shows, or a little less, from what it said last. */
export class ServerTime {
  readonly #clock: Clock;
  readonly #believableMs: number;
  #aheadMs: number | undefined;

  /** An answer that took longer than `believableMs` may be old: it counts only where there is no other. */
  constructor(clock: Clock, believableMs: number) {
    this.#clock = clock;
    this.#believableMs = believableMs;
  }

  heard(serverMs: number, askedMs: number): void {
    const nowMs = this.#clock.now();
    if (this.#aheadMs !== undefined && nowMs - askedMs > this.#believableMs) return;
    this.#aheadMs = serverMs - nowMs;
  }

  /** At that moment of ours; before anything was heard it is later than anything. */
  at(nowMs: number): number {
    if (this.#aheadMs === undefined) return Number.MAX_SAFE_INTEGER;
    return Math.floor(nowMs + this.#aheadMs);
  }
}

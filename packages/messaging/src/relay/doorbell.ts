import type { Clock, Timer } from '@holdfast/core';

/** Lets one loop wait for something to do, or for a while. Ringing while nobody waits is remembered. */
export class Doorbell {
  readonly #clock: Clock;
  #rung = false;
  #open: (() => void) | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  ring(): void {
    if (this.#open === undefined) this.#rung = true;
    else this.#open();
  }

  /** Resolves after `ms`, or at once when it rings or has rung since the last wait. */
  wait(ms: number): Promise<void> {
    if (this.#rung) {
      this.#rung = false;
      return Promise.resolve();
    }
    return new Promise((resolve) => {
      const open = () => {
        timer.cancel();
        this.#open = undefined;
        resolve();
      };
      const timer: Timer = this.#clock.timer(ms, open);
      this.#open = open;
    });
  }
}

import type { RatioWindow, WindowTotal } from './ratio-window.ts';

/**
 * The last `size` calls, one byte each in a ring. The bad ones among them are
 * counted as they come and go, so a look costs the same for any size.
 */
export class CountWindow implements RatioWindow {
  readonly #ring: Uint8Array;
  #next = 0;
  #calls = 0;
  #bad = 0;

  constructor(size: number) {
    this.#ring = new Uint8Array(size);
  }

  record(isBad: boolean): void {
    const ring = this.#ring;
    const place = this.#next;
    if (this.#calls < ring.length) this.#calls += 1;
    else this.#bad -= ring[place]!;
    ring[place] = isBad ? 1 : 0;
    if (isBad) this.#bad += 1;
    this.#next = place + 1 === ring.length ? 0 : place + 1;
  }

  total(): WindowTotal {
    return { calls: this.#calls, bad: this.#bad };
  }

  clear(): void {
    this.#next = 0;
    this.#calls = 0;
    this.#bad = 0;
  }
}

/** A faster call tells of a cache or a bug, not of the dependency. */
const LEAST_RTT_MS = 0.1;

/** What the calls of one window say together. */
export interface WindowSample {
  /** On average. */
  readonly rttMs: number;
  /** At most. */
  readonly inFlight: number;
  /** Whether any was dropped. */
  readonly dropped: boolean;
}

/** Gathers samples until a window is over and holds enough of them. */
export class SampleWindow {
  readonly #windowMs: number;
  readonly #minSamples: number;
  #endsAtMs = -Infinity;
  #count = 0;
  #sumMs = 0;
  #inFlight = 0;
  #dropped = false;

  constructor(windowMs: number, minSamples: number) {
    this.#windowMs = windowMs;
    this.#minSamples = minSamples;
  }

  /** Takes one; answers with the window that it ends, if it ends one. */
  add(nowMs: number, rttMs: number, inFlight: number, dropped: boolean): WindowSample | undefined {
    if (this.#windowMs === 0) return { rttMs, inFlight, dropped };
    if (rttMs < LEAST_RTT_MS) return undefined;
    if (this.#count === 0 && this.#endsAtMs === -Infinity) this.#endsAtMs = nowMs + this.#windowMs;
    this.#count += 1;
    this.#sumMs += rttMs;
    this.#inFlight = Math.max(this.#inFlight, inFlight);
    this.#dropped ||= dropped;
    if (nowMs < this.#endsAtMs || this.#count < this.#minSamples) return undefined;
    const whole = {
      rttMs: this.#sumMs / this.#count,
      inFlight: this.#inFlight,
      dropped: this.#dropped,
    };
    this.#endsAtMs = nowMs + this.#windowMs;
    this.#count = 0;
    this.#sumMs = 0;
    this.#inFlight = 0;
    this.#dropped = false;
    return whole;
  }
}

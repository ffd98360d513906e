/**
 * The only door to time. Production passes `systemClock`; a test passes a
 * `VirtualClock`, and an hour of back-off takes a millisecond.
 */
export interface Clock {
  /** Milliseconds since some fixed moment; never goes back. Measure with this. */
  now(): number;

  /** Milliseconds since the Unix epoch; may jump. Label records with this, never measure. */
  wallMs(): number;

  /** Resolves after `ms`, never earlier. Rejects with `signal.reason` the moment `signal` aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;

  /**
   * Calls `fire` once, `ms` or a little more from now, never earlier. The
   * process stays alive until then, or until the timer is cancelled.
   */
  timer(ms: number, fire: () => void): Timer;
}

/** A pending call of `fire`. Cancelling twice, or after it fired, does nothing. */
export interface Timer {
  cancel(): void;
}

import type { Clock, Timer } from '@holdfast/core';

/** A connection that is watched. */
export interface Watched {
  /** Bytes that have come over it so far. */
  readonly bytesRead: () => number;
  /** Whether anybody waits for what comes over it; without, nothing is asked. */
  readonly busy: () => boolean;
  /** Has the other side say something. */
  readonly ask: () => void;
  /** It was asked, and there has been no answer for some seconds: no more should be sent over it. */
  readonly doubted: () => void;
  /** Nor has there been one for long: whoever waits has waited in vain. */
  readonly silent: () => void;
}

/** A connection is looked at so often. */
const LOOK_MS = 2_000;
/** At how many looks in a row nothing has come when it is asked, when it is doubted (6 to 8 s), and when it is given up (20 to 22 s). */
const ASK_AT = 1;
const DOUBT_AT = 3;
/** A machine that only stands still for a while finds its calls where they were. */
const GIVE_UP_AT = 10;

/** The other side was asked whether it is there, and has not said a word for seconds. */
export class SilentPeerError extends Error {
  readonly code = 'ETIMEDOUT';

  constructor() {
    super('keepalive ping failed to receive ACK within timeout');
    this.name = 'SilentPeerError';
  }
}

/**
 * Finds out that a connection leads nowhere: a machine that is gone, or a firewall that has forgotten
 * the connection, says nothing, and the kernel waits a quarter of an hour for what was sent. There is a
 * timer only while there are calls, and for one look after them.
 */
export class SilenceWatch {
  readonly #clock: Clock;
  readonly #watched: Watched;
  #timer: Timer | undefined;
  #ended = false;
  #read = 0;
  #silentLooks = 0;
  #dueMs = 0;

  constructor(clock: Clock, watched: Watched) {
    this.#clock = clock;
    this.#watched = watched;
  }

  /** A call has begun. */
  wake(): void {
    if (this.#timer !== undefined || this.#ended) return;
    this.#silentLooks = 0;
    this.#read = this.#watched.bytesRead();
    this.#wait();
  }

  /** The connection is over. */
  end(): void {
    this.#ended = true;
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #wait(): void {
    this.#dueMs = this.#clock.now() + LOOK_MS;
    this.#timer = this.#clock.timer(LOOK_MS, () => this.#look());
  }

  #look(): void {
    this.#timer = undefined;
    if (!this.#watched.busy()) return;
    // Whoever stood still until now has not read yet what has come meanwhile.
    const late = this.#clock.now() > this.#dueMs + LOOK_MS;
    const read = this.#watched.bytesRead();
    if (read !== this.#read) this.#silentLooks = 0;
    else if (!late) this.#silentLooks += 1;
    this.#read = read;
    if (this.#silentLooks >= GIVE_UP_AT) {
      this.#watched.silent();
      return;
    }
    if (this.#silentLooks === ASK_AT) this.#watched.ask();
    if (this.#silentLooks === DOUBT_AT) this.#watched.doubted();
    this.#wait();
  }
}

/** One record in hand, or waiting for its turn. */
export interface Turn {
  /** Resolves when it may begin. */
  readonly begins: Promise<void>;
  /** The handler has had it once, however that ended. */
  tried(): void;
  /** It is done; resolves when as much as there is to commit is committed. */
  handled(): Promise<void>;
}

interface Slot {
  handled: boolean;
  readonly begin: () => void;
  readonly commit: () => Promise<void>;
}

/**
 * A partition for a handler that gathers: up to `most` records are with it at a time, in order. From
 * the first that it is through with, well or not, no more join those in hand, and what is behind
 * begins when all of these are done: none that waits to be tried again is overtaken by more than
 * those that were gathered with it.
 *
 *     begins   begins   begins          begins   begins
 *     ├─ 0 ────├─ 1 ────├─ 2 ─┐ tried   ├─ 3 ────├─ 4
 *     └─ in hand together ────┴─ all ───┴─ in hand together …
 *
 * What is committed is the last of those that are done without a gap, once for many.
 */
export class GatheredLane {
  readonly #most: number;
  #inHand = 0;
  #closed = false;
  /** For good: nothing waits any more. */
  #released = false;
  readonly #waiting: Slot[] = [];
  /** What is not committed, in order. */
  readonly #line: Slot[] = [];
  #next: Slot | undefined;
  #committing: Promise<void> | undefined;

  constructor(most: number) {
    this.#most = most;
  }

  enter(commit: () => Promise<void>): Turn {
    const begins = Promise.withResolvers<void>();
    const slot: Slot = { handled: false, begin: begins.resolve, commit };
    this.#line.push(slot);
    this.#waiting.push(slot);
    this.#look();
    return {
      begins: begins.promise,
      tried: () => {
        this.#closed = true;
      },
      handled: async () => {
        slot.handled = true;
        await this.#commit();
        this.#inHand -= 1;
        if (this.#inHand === 0) this.#closed = false;
        this.#look();
      },
    };
  }

  /** Whatever waits may begin: its owner begins nothing any more, and only waits for their ends. */
  release(): void {
    this.#released = true;
    this.#look();
  }

  #look(): void {
    while (this.#waiting.length > 0 && (this.#released || this.#hasRoom())) {
      this.#inHand += 1;
      this.#waiting.shift()!.begin();
    }
  }

  #hasRoom(): boolean {
    return !this.#closed && this.#inHand < this.#most;
  }

  /** One commit at a time, and then for all that were done meanwhile. */
  #commit(): Promise<void> | undefined {
    while (this.#line[0]?.handled === true) this.#next = this.#line.shift();
    if (this.#next !== undefined) this.#committing ??= this.#commitNext();
    return this.#committing;
  }

  async #commitNext(): Promise<void> {
    try {
      while (this.#next !== undefined) {
        const { commit } = this.#next;
        this.#next = undefined;
        await commit();
      }
    } finally {
      this.#committing = undefined;
    }
  }
}

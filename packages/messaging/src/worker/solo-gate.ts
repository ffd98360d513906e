interface Waiting {
  readonly alone: boolean;
  readonly enter: () => void;
}

/**
 * Lets handlers work side by side, and one that asked for it alone: it begins when those inside have
 * left, and those who come later wait for it.
 */
export class SoloGate {
  #inside = 0;
  #alone = false;
  #waiting: Waiting[] = [];

  /** Resolves when it may begin; call `leave` when it has ended. */
  enter(alone: boolean): Promise<void> | undefined {
    if (this.#waiting.length === 0 && this.#fits(alone)) {
      this.#let(alone);
      return undefined;
    }
    return new Promise((enter) => this.#waiting.push({ alone, enter }));
  }

  leave(): void {
    this.#inside -= 1;
    this.#alone = false;
    for (;;) {
      const [next] = this.#waiting;
      if (next === undefined || !this.#fits(next.alone)) return;
      this.#waiting.shift();
      this.#let(next.alone);
      next.enter();
    }
  }

  #fits(alone: boolean): boolean {
    return alone ? this.#inside === 0 : !this.#alone;
  }

  #let(alone: boolean): void {
    this.#inside += 1;
    this.#alone = alone;
  }
}

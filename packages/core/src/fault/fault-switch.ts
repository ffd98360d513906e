/** Ends all faults of a registry's pipelines at once, and those of pipelines that are in none. */
export class FaultSwitch {
  #allowed = true;
  /** Those that hold calls back now. */
  readonly #holders = new Set<() => void>();

  /** Whether faults may be put in. */
  get allowed(): boolean {
    return this.#allowed;
  }

  /** From now on nothing is put in; calls that are held back go on. Until `allow`. */
  stop(): void {
    this.#allowed = false;
    for (const letGo of [...this.#holders]) letGo();
  }

  /** Faults whose time is not over are put in again. */
  allow(): void {
    this.#allowed = true;
  }

  /** @internal */
  add(letGo: () => void): void {
    this.#holders.add(letGo);
  }

  /** @internal */
  remove(letGo: () => void): void {
    this.#holders.delete(letGo);
  }
}

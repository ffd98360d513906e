/**
 * The end of a connection, for those who wait for something that it would make vain. They wait in
 * turns, a hundred thousand of them while a connection lives, and each race against one promise for
 * its end would leave something on that promise: these are forgotten when they have waited.
 */
export class Loss {
  readonly #waiting = new Set<(error: unknown) => void>();
  #happened: { readonly error: unknown } | undefined;

  happen(error: unknown): void {
    this.#happened ??= { error };
    for (const reject of this.#waiting) reject(this.#happened.error);
    this.#waiting.clear();
  }

  /** Settles as `work` does, or rejects when the loss happens first. */
  or<T>(work: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const settled = () => void this.#waiting.delete(reject);
      void work.then(resolve, reject).then(settled);
      if (this.#happened === undefined) this.#waiting.add(reject);
      else reject(this.#happened.error);
    });
  }

  /** Those who wait now. */
  get waiting(): number {
    return this.#waiting.size;
  }
}

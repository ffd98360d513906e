/** A way to keep events and hand each to whoever handles it, put to the test as it is meant to be used. */
export interface Queue {
  readonly name: string;
  /** What it keeps events in. */
  readonly engine: 'SQLite' | 'PostgreSQL' | 'Redis';
  /** One event: kept, handed out, marked as done. Resolves after that. */
  single(): Promise<void>;
  /** So many at once: kept together, handed out as it hands them out, all marked as done. */
  group(count: number): Promise<void>;
  close(): Promise<void>;
}

export const BODY = { type: 'sensor.tested', value: 21.5, unit: '°C', note: 'x'.repeat(120) };

/** Resolves when so many have been counted since it was made. */
export class Count {
  #left = 0;
  #done: () => void = () => {};

  of(count: number): Promise<void> {
    this.#left = count;
    return new Promise((resolve) => {
      this.#done = resolve;
    });
  }

  one(): void {
    this.#left -= 1;
    if (this.#left === 0) this.#done();
  }
}

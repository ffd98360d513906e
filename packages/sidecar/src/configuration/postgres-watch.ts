import type { Clock } from '@holdfast/core';
import type { Logger } from '@holdfast/telemetry/log';
import { neverTwiceAtOnce, readAtLast } from './catch-up.ts';
import type { ConfigurationItem, ConfigurationItems } from './configuration-store.ts';
import { MOST_SEEN, SeenItems } from './seen-items.ts';

export interface PostgresWatchOptions {
  readonly component: string;
  readonly clock: Clock;
  readonly channel: string;
  /** None: all. */
  readonly keys: readonly string[];
  readonly changed: (key: string, item: ConfigurationItem | undefined) => Promise<void>;
  readonly read: (keys: readonly string[]) => Promise<ConfigurationItems>;
  readonly log: Logger;
}

/** One subscription: hands changes on, one at a time, and only the latest of each key. */
export class PostgresWatch {
  readonly channel: string;
  readonly #keys: readonly string[];
  readonly #options: PostgresWatchOptions;
  readonly #waiting = new Map<string, ConfigurationItem | undefined>();
  readonly #seen = new SeenItems();
  #telling = false;
  readonly #ending = new AbortController();

  constructor(options: PostgresWatchOptions) {
    this.channel = options.channel;
    this.#keys = options.keys;
    this.#options = options;
  }

  /** Remembers what there is, so that it can tell after an outage what has changed in it. */
  async begin(): Promise<void> {
    const { component, log, read } = this.#options;
    this.#seen.begin(await read(this.#keys));
    if (!this.#seen.complete) {
      log.warn(
        `component ${component}: a subscription has more than ${MOST_SEEN} keys; what changes while PostgreSQL is away is not told to it. Name the keys that matter.`,
      );
    }
  }

  end(): void {
    this.#ending.abort();
    this.#waiting.clear();
  }

  heard(key: string, item: ConfigurationItem | undefined): void {
    if (this.#ending.signal.aborted || (this.#keys.length > 0 && !this.#keys.includes(key))) return;
    this.#waiting.set(key, item);
    if (!this.#telling) void this.#tell();
  }

  /** After an outage: what is otherwise now, or gone. */
  readonly compare = neverTwiceAtOnce(async () => {
    const { keys, read } = this.#options;
    if (!this.#seen.complete) return;
    const items = await readAtLast(() => read(keys), {
      ...this.#options,
      signal: this.#ending.signal,
    });
    if (items === undefined) return;
    for (const key of this.#seen.differing(items)) this.heard(key, items[key]);
  });

  async #tell(): Promise<void> {
    this.#telling = true;
    for (const [key, item] of this.#waiting) {
      this.#waiting.delete(key);
      this.#seen.see(key, item);
      try {
        await this.#options.changed(key, item);
      } catch (error) {
        const why = (error as Error).message;
        this.#options.log.warn(`A change of ${key} was not handed on: ${why}`);
      }
    }
    this.#telling = false;
  }
}

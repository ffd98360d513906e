import type { Logger } from '@holdfast/telemetry/log';
import type { ConfigurationItem, ConfigurationItems } from './configuration-store.ts';

export interface PostgresWatchOptions {
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
  /** As last told, or as found when it began. */
  #seen: Readonly<Record<string, string>> = {};
  #telling = false;
  #ended = false;

  constructor(options: PostgresWatchOptions) {
    this.channel = options.channel;
    this.#keys = options.keys;
    this.#options = options;
  }

  /** Remembers what there is, so that it can tell after an outage what has changed in it. */
  async begin(): Promise<void> {
    this.#seen = texts(await this.#options.read(this.#keys));
  }

  end(): void {
    this.#ended = true;
    this.#waiting.clear();
  }

  heard(key: string, item: ConfigurationItem | undefined): void {
    if (this.#ended || (this.#keys.length > 0 && !this.#keys.includes(key))) return;
    this.#waiting.set(key, item);
    if (!this.#telling) void this.#tell();
  }

  /** After an outage: what is otherwise now, or gone. */
  async compare(): Promise<void> {
    try {
      const items = await this.#options.read(this.#keys);
      const now = texts(items);
      for (const key of new Set([...Object.keys(this.#seen), ...Object.keys(now)])) {
        if (this.#seen[key] !== now[key]) this.heard(key, items[key]);
      }
    } catch (error) {
      const why = (error as Error).message;
      this.#options.log.warn(`Changes of configuration may have been missed: ${why}`);
    }
  }

  async #tell(): Promise<void> {
    this.#telling = true;
    for (const [key, item] of this.#waiting) {
      this.#waiting.delete(key);
      this.#seen = { ...this.#seen, ...texts({ [key]: item ?? {} }) };
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

const texts = (items: ConfigurationItems): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(items).map(([key, item]) => [key, JSON.stringify(item)]));

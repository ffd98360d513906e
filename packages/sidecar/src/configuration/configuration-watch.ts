import { type CatchUpOptions, neverTwiceAtOnce, readAtLast } from './catch-up.ts';
import type { ConfigurationItem, ConfigurationItems } from './configuration-store.ts';
import { MOST_SEEN, SeenItems } from './seen-items.ts';

export type Changed = (key: string, item: ConfigurationItem | undefined) => Promise<void>;

export interface ConfigurationWatchOptions extends CatchUpOptions {
  /** The store, as the log names it: `Redis`. */
  readonly server: string;
  /** None: all. */
  readonly keys: readonly string[];
  readonly changed: Changed;
  /** Those of the keys that are there; of none, all, or undefined where they are too many to remember. */
  readonly read: (keys: readonly string[]) => Promise<ConfigurationItems | undefined>;
}

/** What has become of a key, where that was told with the news that it has changed. */
interface Told {
  readonly item: ConfigurationItem | undefined;
}

/** Keys whose changes wait for the application at a time; one of all keys may hear of any number. */
export const MOST_WAITING = 10_000;

/** How a subscription comes to be, and ceases to be, among those that hear of changes. */
export interface Hearing {
  enter(): void;
  /** Does nothing where it has left. */
  leave(): void;
}

/**
 * Begins a subscription that hears of changes until `signal` aborts.
 *
 * @throws Error where it could not read what there is, and the signal's reason where that has aborted; it has left then.
 */
export async function beginHearing(
  watch: ConfigurationWatch,
  { enter, leave }: Hearing,
  signal: AbortSignal,
): Promise<void> {
  signal.addEventListener('abort', leave, { once: true });
  // It hears from now on, so that nothing is missed between reading and listening.
  enter();
  try {
    signal.throwIfAborted();
    await watch.begin();
  } catch (error) {
    leave();
    throw error;
  }
}

/** One subscription: hands changes on, one at a time, and only the latest of each key. */
export class ConfigurationWatch {
  readonly #options: ConfigurationWatchOptions;
  readonly #keys: ReadonlySet<string>;
  /** Undefined: to be read when its turn comes. */
  readonly #waiting = new Map<string, Told | undefined>();
  readonly #seen = new SeenItems();
  #telling = false;
  /** More changed than may wait: what they were is found out by comparing. */
  #overrun = false;

  constructor(options: ConfigurationWatchOptions) {
    this.#options = options;
    this.#keys = new Set(options.keys);
  }

  /** Remembers what there is, so that it can tell after an outage what has changed in it. */
  async begin(): Promise<void> {
    const { keys, read, server } = this.#options;
    this.#seen.begin(await read(keys));
    if (this.#seen.complete) return;
    this.#warn(
      `a subscription has more than ${MOST_SEEN} keys; what changes while ${server} is away is not told to it. Name the keys that matter.`,
    );
  }

  /** A key has changed. Without what it is now, that is read when its turn comes. */
  heard(key: string, told?: Told): void {
    const { signal } = this.#options;
    if (signal.aborted || (this.#keys.size > 0 && !this.#keys.has(key))) return;
    if (this.#waiting.size < MOST_WAITING || this.#waiting.has(key)) this.#waiting.set(key, told);
    else this.#overran();
    if (!this.#telling) void this.#tell();
  }

  /** After an outage: what is otherwise now, or gone. */
  readonly compare = neverTwiceAtOnce(async () => {
    const { keys, read } = this.#options;
    if (!this.#seen.complete) return;
    const items = await readAtLast(() => read(keys), this.#options);
    if (items === undefined) return;
    // Read once more in their turn: of what was heard meanwhile this may be older.
    for (const key of this.#seen.differing(items)) this.heard(key);
  });

  async #tell(): Promise<void> {
    const { signal } = this.#options;
    this.#telling = true;
    for (const [key, told] of this.#waiting) {
      this.#waiting.delete(key);
      const now = told ?? (await this.#readNow(key));
      if (now === undefined || signal.aborted) break;
      await this.#hand(key, now.item);
    }
    this.#telling = false;
    if (signal.aborted) this.#waiting.clear();
    if (!this.#overrun) return;
    this.#overrun = false;
    void this.compare();
  }

  /** Undefined where the subscription has ended before it could be read. */
  async #readNow(key: string): Promise<Told | undefined> {
    const items = await readAtLast(async () => {
      // What is heard while it is read is told once more.
      this.#waiting.delete(key);
      return await this.#options.read([key]);
    }, this.#options);
    return items && { item: items[key] };
  }

  async #hand(key: string, item: ConfigurationItem | undefined): Promise<void> {
    this.#seen.see(key, item);
    try {
      await this.#options.changed(key, item);
    } catch (error) {
      this.#options.log.warn(`A change of ${key} was not handed on: ${(error as Error).message}`);
    }
  }

  #overran(): void {
    if (this.#overrun) return;
    this.#overrun = true;
    const then = this.#seen.complete ? 'are found out when those are told' : 'are not told';
    this.#warn(`changes of ${MOST_WAITING} keys wait for the application; further ones ${then}.`);
  }

  #warn(text: string): void {
    this.#options.log.warn(`component ${this.#options.component}: ${text}`);
  }
}

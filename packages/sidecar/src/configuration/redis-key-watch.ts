import type { Clock } from '@holdfast/core';
import type { Logger } from '@holdfast/telemetry/log';
import { openRedis, type RedisConnection } from '../redis/open-redis.ts';
import { type CatchUpOptions, neverTwiceAtOnce, readAtLast } from './catch-up.ts';
import type { ConfigurationItem, ConfigurationItems } from './configuration-store.ts';
import { MOST_SEEN, SeenItems } from './seen-items.ts';

/** Redis tells of generic commands, texts, expiry and eviction, by key: what Dapr asks it for. */
const EVENTS = 'Kg$xe';

/** How often the connection is asked whether it is still there: where nothing changes, nobody else would notice. */
const PING_MS = 10_000;

type Changed = (key: string, item: ConfigurationItem | undefined) => Promise<void>;
/** Those of the keys that are there; of none, all, or undefined where they are too many to remember. */
type Read = (keys: readonly string[]) => Promise<ConfigurationItems | undefined>;

/** Hears Redis' keyspace notifications on a connection of its own, and hands the changes on. */
export class KeyWatch {
  readonly #redis: RedisConnection;
  readonly #ear: RedisConnection;
  readonly #read: Read;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #prefix: string;
  readonly #subscribers = new Set<Subscriber>();
  readonly #closing = new AbortController();

  static async open(
    redis: RedisConnection,
    read: Read,
    env: { readonly clock: Clock; readonly log: Logger },
  ): Promise<KeyWatch> {
    const ear = await openRedis(redis.settings, { what: 'redis store' });
    const watch = new KeyWatch(redis, ear, read, env);
    try {
      await watch.#listen();
    } catch (error) {
      watch.close();
      throw error;
    }
    void watch.#ping();
    return watch;
  }

  private constructor(
    redis: RedisConnection,
    ear: RedisConnection,
    read: Read,
    { clock, log }: { readonly clock: Clock; readonly log: Logger },
  ) {
    this.#redis = redis;
    this.#ear = ear;
    this.#read = read;
    this.#clock = clock;
    this.#log = log;
    this.#prefix = `__keyspace@${redis.settings.db}__:`;
  }

  async add(keys: readonly string[], changed: Changed, signal: AbortSignal): Promise<void> {
    const subscriber = new Subscriber(keys, changed, this.#read, {
      component: this.#redis.settings.component,
      clock: this.#clock,
      log: this.#log,
      signal: AbortSignal.any([signal, this.#closing.signal]),
    });
    await subscriber.remember();
    signal.throwIfAborted();
    this.#subscribers.add(subscriber);
    signal.addEventListener('abort', () => this.#subscribers.delete(subscriber), { once: true });
  }

  close(): void {
    this.#closing.abort();
    this.#subscribers.clear();
    this.#ear.close();
  }

  /** One that keeps silent is given up by the driver, which makes another. */
  async #ping(): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      // Rejects when it is closed meanwhile.
      await this.#clock.sleep(PING_MS, signal).catch(() => {});
      if (!signal.aborted) await this.#ear.run((client) => client.ping()).catch(() => {});
    }
  }

  async #listen(): Promise<void> {
    await this.#askForEvents();
    this.#ear.client.on('pmessage', (_pattern: string, channel: string) => {
      const key = channel.slice(this.#prefix.length);
      for (const subscriber of this.#subscribers) subscriber.heard(key);
    });
    await this.#ear.run((client) => client.psubscribe(`${this.#prefix}*`));
    // Back after an outage the driver subscribes again; what happened in between nobody told us.
    this.#ear.client.on('ready', () => void this.#catchUp());
  }

  async #catchUp(): Promise<void> {
    await this.#askForEvents();
    for (const subscriber of this.#subscribers) void subscriber.compare();
  }

  /** Adds to what Redis tells already: others may rely on that. */
  async #askForEvents(): Promise<void> {
    const { component } = this.#redis.settings;
    try {
      const answer = await this.#redis.run((client) =>
        client.call('CONFIG', 'GET', 'notify-keyspace-events'),
      );
      const known = String((answer as readonly unknown[])[1] ?? '');
      const told = known.includes('A') ? `${known}g$xe` : known;
      const missing = [...EVENTS].filter((letter) => !told.includes(letter));
      if (missing.length === 0) return;
      await this.#redis.run((client) =>
        client.call('CONFIG', 'SET', 'notify-keyspace-events', known + missing.join('')),
      );
    } catch (error) {
      // Where CONFIG is not for everybody, somebody else may have set it.
      this.#log.warn(
        `Redis of ${component} cannot be asked to tell of changes (notify-keyspace-events must have ${EVENTS}): ${(error as Error).message}`,
      );
    }
  }
}

/** Who wants to hear of some keys: one change at a time, and only the latest of each key. */
class Subscriber {
  readonly #keys: ReadonlySet<string>;
  readonly #changed: Changed;
  readonly #read: Read;
  readonly #env: CatchUpOptions;
  readonly #waiting = new Set<string>();
  readonly #seen = new SeenItems();
  #telling = false;

  constructor(keys: readonly string[], changed: Changed, read: Read, env: CatchUpOptions) {
    this.#keys = new Set(keys);
    this.#changed = changed;
    this.#read = read;
    this.#env = env;
  }

  async remember(): Promise<void> {
    this.#seen.begin(await this.#read([...this.#keys]));
    if (this.#seen.complete) return;
    const { component, log } = this.#env;
    log.warn(
      `component ${component}: Redis has more than ${MOST_SEEN} keys; what changes while it is away is not told to a subscription of all. Name the keys that matter.`,
    );
  }

  heard(key: string): void {
    if (this.#keys.size > 0 && !this.#keys.has(key)) return;
    this.#waiting.add(key);
    if (!this.#telling) void this.#tell();
  }

  /** After an outage: what is otherwise now, or gone. */
  readonly compare = neverTwiceAtOnce(async () => {
    if (!this.#seen.complete) return;
    const items = await readAtLast(() => this.#read([...this.#keys]), this.#env);
    if (items === undefined) return;
    for (const key of this.#seen.differing(items)) this.heard(key);
  });

  async #tell(): Promise<void> {
    this.#telling = true;
    for (const key of this.#waiting) {
      const items = await readAtLast(async () => {
        // What is heard while it is read is told once more.
        this.#waiting.delete(key);
        return this.#read([key]);
      }, this.#env);
      if (items === undefined) break;
      const item = items[key];
      this.#seen.see(key, item);
      try {
        await this.#changed(key, item);
      } catch (error) {
        const why = (error as Error).message;
        this.#env.log.warn(`A change of ${key} was not handed on: ${why}`);
      }
    }
    this.#telling = false;
  }
}

import type { Logger } from '@holdfast/telemetry/log';
import { openRedis, type RedisConnection } from '../redis/open-redis.ts';
import type { ConfigurationItem, ConfigurationItems } from './configuration-store.ts';

/** Redis tells of generic commands, texts, expiry and eviction, by key: what Dapr asks it for. */
const EVENTS = 'Kg$xe';

type Changed = (key: string, item: ConfigurationItem | undefined) => Promise<void>;
type Read = (keys: readonly string[]) => Promise<ConfigurationItems>;

/** Hears Redis' keyspace notifications on a connection of its own, and hands the changes on. */
export class KeyWatch {
  readonly #redis: RedisConnection;
  readonly #ear: RedisConnection;
  readonly #read: Read;
  readonly #log: Logger;
  readonly #prefix: string;
  readonly #subscribers = new Set<Subscriber>();

  static async open(redis: RedisConnection, read: Read, log: Logger): Promise<KeyWatch> {
    const ear = await openRedis(redis.settings, { what: 'redis store' });
    const watch = new KeyWatch(redis, ear, read, log);
    await watch.#listen();
    return watch;
  }

  private constructor(redis: RedisConnection, ear: RedisConnection, read: Read, log: Logger) {
    this.#redis = redis;
    this.#ear = ear;
    this.#read = read;
    this.#log = log;
    this.#prefix = `__keyspace@${redis.settings.db}__:`;
  }

  async add(keys: readonly string[], changed: Changed, signal: AbortSignal): Promise<void> {
    const subscriber = new Subscriber(keys, changed, this.#read, this.#log);
    await subscriber.remember();
    signal.throwIfAborted();
    this.#subscribers.add(subscriber);
    signal.addEventListener('abort', () => this.#subscribers.delete(subscriber), { once: true });
  }

  close(): void {
    this.#subscribers.clear();
    this.#ear.close();
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
  readonly #log: Logger;
  readonly #waiting = new Set<string>();
  /** Of the keys that were named, as last seen. */
  readonly #seen = new Map<string, string>();
  #telling = false;

  constructor(keys: readonly string[], changed: Changed, read: Read, log: Logger) {
    this.#keys = new Set(keys);
    this.#changed = changed;
    this.#read = read;
    this.#log = log;
  }

  async remember(): Promise<void> {
    if (this.#keys.size === 0) return;
    const items = await this.#read([...this.#keys]);
    for (const key of this.#keys) this.#seen.set(key, JSON.stringify(items[key] ?? null));
  }

  heard(key: string): void {
    if (this.#keys.size > 0 && !this.#keys.has(key)) return;
    this.#waiting.add(key);
    if (!this.#telling) void this.#tell();
  }

  /** After an outage: those of the named keys that are otherwise now. */
  async compare(): Promise<void> {
    if (this.#keys.size === 0) return;
    try {
      const items = await this.#read([...this.#keys]);
      for (const key of this.#keys) {
        if (this.#seen.get(key) !== JSON.stringify(items[key] ?? null)) this.heard(key);
      }
    } catch (error) {
      this.#log.warn(`Changes of configuration may have been missed: ${(error as Error).message}`);
    }
  }

  async #tell(): Promise<void> {
    this.#telling = true;
    for (const key of this.#waiting) {
      this.#waiting.delete(key);
      try {
        const item = (await this.#read([key]))[key];
        if (this.#keys.size > 0) this.#seen.set(key, JSON.stringify(item ?? null));
        await this.#changed(key, item);
      } catch (error) {
        this.#log.warn(`A change of ${key} was not handed on: ${(error as Error).message}`);
      }
    }
    this.#telling = false;
  }
}

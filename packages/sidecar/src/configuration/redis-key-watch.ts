import type { Clock } from '@holdfast/core';
import type { Logger } from '@holdfast/telemetry/log';
import { openRedis, type RedisConnection } from '../redis/open-redis.ts';
import {
  beginHearing,
  type Changed,
  ConfigurationWatch,
  type ConfigurationWatchOptions,
} from './configuration-watch.ts';

/** Redis tells of generic commands, texts, expiry and eviction, by key: what Dapr asks it for. */
const EVENTS = 'Kg$xe';

/** How often the connection is asked whether it is still there: where nothing changes, nobody else would notice. */
const PING_MS = 10_000;

type Read = ConfigurationWatchOptions['read'];

/** Hears Redis' keyspace notifications on a connection of its own, and hands the changes on. */
export class KeyWatch {
  readonly #redis: RedisConnection;
  readonly #ear: RedisConnection;
  readonly #read: Read;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #prefix: string;
  readonly #watches = new Set<ConfigurationWatch>();
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
    const watch = new ConfigurationWatch({
      component: this.#redis.settings.component,
      server: 'Redis',
      keys,
      changed,
      read: this.#read,
      clock: this.#clock,
      log: this.#log,
      signal: AbortSignal.any([signal, this.#closing.signal]),
    });
    const hearing = {
      enter: () => void this.#watches.add(watch),
      leave: () => void this.#watches.delete(watch),
    };
    await beginHearing(watch, hearing, signal);
  }

  close(): void {
    this.#closing.abort();
    this.#watches.clear();
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
      for (const watch of this.#watches) watch.heard(key);
    });
    await this.#ear.run((client) => client.psubscribe(`${this.#prefix}*`));
    // Back after an outage the driver subscribes again; what happened in between nobody told us.
    this.#ear.client.on('ready', () => void this.#catchUp());
  }

  async #catchUp(): Promise<void> {
    await this.#askForEvents();
    for (const watch of this.#watches) void watch.compare();
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

import type { Clock } from '@holdfast/core';
import type { Logger } from '@holdfast/telemetry/log';
import { PostgresEar } from '../postgres/postgres-ear.ts';
import type { PostgresPool } from '../postgres/postgres-pool.ts';
import {
  beginHearing,
  type Changed,
  ConfigurationWatch,
  type ConfigurationWatchOptions,
} from './configuration-watch.ts';
import { itemToldOf } from './postgres-rows.ts';

export interface ChannelWatchOptions {
  readonly component: string;
  readonly pool: PostgresPool;
  readonly read: ConfigurationWatchOptions['read'];
  readonly clock: Clock;
  readonly log: Logger;
}

/** Hears what a table's trigger says on a channel, and hands the changes on. */
export class ChannelWatch {
  readonly #options: ChannelWatchOptions;
  readonly #ear: PostgresEar;
  /** With the channel of each. */
  readonly #watches = new Map<ConfigurationWatch, string>();
  readonly #closing = new AbortController();

  constructor(options: ChannelWatchOptions) {
    const { pool, ...env } = options;
    this.#options = options;
    this.#ear = new PostgresEar({
      ...env,
      servers: pool.servers,
      target: pool.target,
      heard: (channel, payload) => this.#heard(channel, payload),
      back: () => {
        for (const watch of this.#watches.keys()) void watch.compare();
      },
    });
  }

  /** @throws Error where PostgreSQL cannot be reached, or `signal` has aborted. */
  async add(
    { channel, keys }: { readonly channel: string; readonly keys: readonly string[] },
    changed: Changed,
    signal: AbortSignal,
  ): Promise<void> {
    await this.#ear.listen(channel);
    const watch = new ConfigurationWatch({
      ...this.#options,
      server: 'PostgreSQL',
      keys,
      changed,
      signal: AbortSignal.any([signal, this.#closing.signal]),
    });
    const hearing = {
      enter: () => void this.#watches.set(watch, channel),
      leave: () => {
        if (this.#watches.delete(watch)) this.#ear.leave(channel);
      },
    };
    await beginHearing(watch, hearing, signal);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#ear.close();
  }

  #heard(channel: string, payload: string): void {
    const told = itemToldOf(payload);
    if (told === undefined) {
      const { component, log } = this.#options;
      log.warn(
        `component ${component}: a notification on ${channel} is no {"data": {"key", "value", …}}, and left out`,
      );
      return;
    }
    const [key, item] = told;
    for (const [watch, of] of this.#watches) if (of === channel) watch.heard(key, { item });
  }
}

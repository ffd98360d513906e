import type { Clock } from '@holdfast/core';
import type { Logger } from '@holdfast/telemetry/log';
import type { Client } from 'pg';
import { checkTarget, firstServer, type PostgresServer, type Target } from './postgres-servers.ts';
import { postgresWords } from './postgres-words.ts';

export interface EarOptions {
  readonly component: string;
  readonly servers: readonly PostgresServer[];
  readonly target: Target;
  readonly clock: Clock;
  readonly log: Logger;
  /** A notification, with its payload. */
  readonly heard: (channel: string, payload: string) => void;
  /** It listens again; what was said in between nobody heard. */
  readonly back: () => void;
}

/** How often the connection is asked whether it is still there: where nobody says a thing, nobody else would notice. */
const PING_MS = 10_000;
const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 5_000;

/**
 * Hears PostgreSQL's notifications on a connection of its own, and makes
 * another when that one is lost.
 */
export class PostgresEar {
  readonly #options: EarOptions;
  /** With how many listen to each. */
  readonly #channels = new Map<string, number>();
  readonly #closing = new AbortController();
  #client: Client | undefined;
  #connecting: Promise<Client> | undefined;

  constructor(options: EarOptions) {
    this.#options = options;
  }

  /**
   * Resolves when it listens to this channel, which may be a plain name only; `leave` as often as that.
   *
   * @throws Error where PostgreSQL cannot be reached.
   */
  async listen(channel: string): Promise<void> {
    this.#channels.set(channel, (this.#channels.get(channel) ?? 0) + 1);
    try {
      const client = await this.#connected();
      await client.query(`LISTEN "${channel}"`);
    } catch (error) {
      this.leave(channel);
      throw error;
    }
  }

  /** When the last has left, nothing of the channel is heard any more: clients may name any number of them. */
  leave(channel: string): void {
    const left = (this.#channels.get(channel) ?? 0) - 1;
    if (left > 0) {
      this.#channels.set(channel, left);
      return;
    }
    this.#channels.delete(channel);
    // Statements go in order: who listens from now on does so behind this. Without a connection nothing is heard anyway.
    this.#client?.query(`UNLISTEN "${channel}"`).catch(() => {});
  }

  async close(): Promise<void> {
    this.#closing.abort();
    const client = this.#client ?? (await this.#connecting?.catch(() => undefined));
    // It may be gone already, which is what is wanted.
    await client?.end().catch(() => {});
  }

  #connected(): Promise<Client> {
    if (this.#client !== undefined) return Promise.resolve(this.#client);
    this.#connecting ??= this.#connect().finally(() => {
      this.#connecting = undefined;
    });
    return this.#connecting;
  }

  async #connect(): Promise<Client> {
    const { heard, servers, target } = this.#options;
    const { default: pg } = await import('pg');
    const client = await firstServer(servers, target, async (server, wanted) => {
      const client = new pg.Client(server);
      // What is wrong is said by the step at hand, and the end by `end`.
      client.on('error', () => {});
      try {
        await client.connect();
        await checkTarget(wanted, (sql) => client.query(sql));
        for (const channel of this.#channels.keys()) await client.query(`LISTEN "${channel}"`);
        return client;
      } catch (error) {
        await client.end().catch(() => {});
        throw postgresWords(error, server);
      }
    });
    client.on('notification', ({ channel, payload = '' }) => heard(channel, payload));
    client.once('end', () => void this.#lost(client));
    this.#client = client;
    void this.#ping(client);
    return client;
  }

  /** Until the connection is lost; one that keeps silent for as long as a statement may take is. */
  async #ping(client: Client): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted && this.#client === client) {
      // Rejects when it is closed meanwhile.
      await this.#options.clock.sleep(PING_MS, signal).catch(() => {});
      if (signal.aborted || this.#client !== client) return;
      await client.query('SELECT 1').catch(() => client.end().catch(() => {}));
    }
  }

  async #lost(client: Client): Promise<void> {
    if (this.#client === client) this.#client = undefined;
    const { back, clock, component, log } = this.#options;
    if (this.#closing.signal.aborted) return;
    log.warn(`component ${component}: the connection that hears of changes is lost`);
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(LONGEST_PAUSE_MS, pauseMs * 2)) {
      // Rejects when it is closed meanwhile.
      await clock.sleep(pauseMs, this.#closing.signal).catch(() => {});
      if (this.#closing.signal.aborted) return;
      const again = await this.#connected().catch(() => undefined);
      if (again === undefined) continue;
      back();
      return;
    }
  }
}

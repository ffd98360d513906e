import { randomUUID } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import type { Clock } from '@holdfast/core';
import { deadPrefix } from '../dead/dead-prefix.ts';
import { checkHold, checkWait } from '../hold.ts';
import { latestNotes } from '../latest-notes.ts';
import type { Message } from '../message.ts';
import {
  type AddDeadOptions,
  type AppendGroup,
  type AppendResult,
  type DeadLetter,
  type DeadPage,
  type DeadRetention,
  type Lease,
  type LeaseNote,
  type LeaseResult,
  type MessageStatus,
  type MessageStore,
  type QueuedPage,
  type ReleaseOptions,
  type StoreLimits,
  type StoreStats,
  sizeOf,
} from '../store.ts';
import { addTo } from './add-to-history.ts';
import { appendGroups } from './append-groups.ts';
import { completeLeases } from './complete-leases.ts';
import { Connection } from './connection.ts';
import { distinctLeases } from './distinct-leases.ts';
import { lookFor, rowsToLease, type Wanted } from './lease-rows.ts';
import { resolveSqliteStoreOptions, type SqliteStoreOptions } from './options.ts';
import { readStats } from './read-stats.ts';
import { deadLetterOf, headersText, leaseOf, messageOf, nextOf, statusOf } from './rows.ts';
import { prepareSchema } from './schema.ts';
import { type MessageRow, prepareStatements, type Statements, type Totals } from './statements.ts';
import { TopicIndexes } from './topic-indexes.ts';
import { trimRemembered } from './trim-remembered.ts';

/**
 * Keeps messages in one SQLite file (WAL, `synchronous=FULL`), by the process's main thread.
 *
 * Every call is one small transaction. It blocks the event loop for as long as the disk takes to
 * flush; `append` takes many groups so that a turn's worth of messages costs one flush.
 */
export function sqliteStore(given: SqliteStoreOptions): MessageStore {
  return new SqliteStore(resolveSqliteStoreOptions(given));
}

class SqliteStore implements MessageStore {
  readonly #connection: Connection;
  readonly #clock: Clock;
  readonly #remember: number;
  /** Tells this store's leases from those of other processes. */
  readonly #worker = randomUUID().slice(0, 8);
  #leases = 0;
  #statements: Statements | undefined;
  readonly #topicIndexes: TopicIndexes;
  #generation = 0;

  constructor(options: Required<SqliteStoreOptions>) {
    this.#clock = options.clock;
    this.#remember = options.rememberDelivered;
    this.#connection = new Connection({ ...options, prepare: prepareSchema });
    this.#topicIndexes = new TopicIndexes(this.#connection);
  }

  async open(): Promise<void> {
    this.#connection.read(() => undefined);
  }

  async append(
    groups: readonly AppendGroup[],
    limits: StoreLimits,
  ): Promise<readonly AppendResult[]> {
    const nowMs = this.#clock.wallMs();
    return this.#write((sql, totals) => {
      const results = appendGroups(sql, totals, groups, limits, nowMs);
      // Those whose place was taken are remembered, too.
      trimRemembered(sql, totals, this.#remember);
      return results;
    });
  }

  async lease(
    limit: number,
    leaseMs: number,
    topics?: readonly string[],
  ): Promise<readonly Lease[]> {
    checkHold('leaseMs', leaseMs);
    const now = this.#clock.wallMs();
    let wanted: Wanted = { now, limit, topics };
    if (topics !== undefined) this.#topicIndexes.make();
    // Looking first costs no disk write where nothing is due, which is most of the time.
    let found = this.#read((sql) => lookFor(sql, wanted));
    if (found === 'pauses') {
      // By topic: the heap of one that is paused costs the others nothing.
      this.#topicIndexes.make();
      wanted = { now, limit, topics: 'awake' };
      found = this.#read((sql) => lookFor(sql, wanted));
    }
    if (found === 'nothing') return [];
    const token = `${this.#worker}:${++this.#leases}`;
    return this.#writeUnflushed((sql) => {
      const rows = rowsToLease(sql, wanted);
      for (const row of rows) sql.take.run(token, now + leaseMs, row.seq);
      return rows.map((row) => leaseOf(row, token, now));
    });
  }

  async complete(leases: readonly Lease[], results: readonly LeaseResult[] = []): Promise<number> {
    const now = this.#clock.wallMs();
    return this.#writeUnflushed((sql, totals) => {
      const done = completeLeases(sql, totals, leases, results, now);
      trimRemembered(sql, totals, this.#remember);
      return done;
    });
  }

  async renew(leases: readonly Lease[], leaseMs: number): Promise<number> {
    checkHold('leaseMs', leaseMs);
    const now = this.#clock.wallMs();
    return this.#each(distinctLeases(leases), (sql, { seq, token }) =>
      sql.renew.run({ seq, token, now, due: now + leaseMs }),
    );
  }

  async release(leases: readonly Lease[], options: ReleaseOptions): Promise<number> {
    checkWait('delayMs', options.delayMs);
    const now = this.#clock.wallMs();
    const uncount = options.attempted === false ? 1 : 0;
    return this.#each(leases, (sql, { seq, token }) => {
      const history =
        options.error === undefined ? null : addTo(sql, seq, 'failed', options.error, now);
      return sql.release.run({ seq, token, now, due: now + options.delayMs, uncount, history });
    });
  }

  async bury(leases: readonly Lease[], reason: string): Promise<number> {
    const now = this.#clock.wallMs();
    return this.#write((sql, totals) => {
      let done = 0;
      for (const { seq, token } of leases) {
        const history = addTo(sql, seq, 'died', reason, now);
        const row = sql.bury.get({ seq, token, now, reason, history }) as
          | { bytes: number }
          | undefined;
        if (row === undefined) continue;
        totals.queued -= 1;
        totals.queued_bytes -= row.bytes;
        totals.dead += 1;
        done += 1;
      }
      return done;
    });
  }

  async note(notes: readonly LeaseNote[]): Promise<number> {
    const now = this.#clock.wallMs();
    return this.#each(latestNotes(notes), (sql, { lease: { seq, token }, text }) =>
      sql.note.run({ seq, token, now, text }),
    );
  }

  async withdraw(ids: readonly string[]): Promise<number> {
    return this.#write((sql, totals) => {
      let done = 0;
      for (const id of ids) {
        const row = sql.withdraw.get(id) as { bytes: number } | undefined;
        if (row === undefined) continue;
        totals.queued -= 1;
        totals.queued_bytes -= row.bytes;
        totals.remembered += 1;
        done += 1;
      }
      return done;
    });
  }

  async pause(topic: string, forMs?: number): Promise<boolean> {
    const now = this.#clock.wallMs();
    return this.#write((sql) => {
      const begins = sql.isPaused.get({ topic, now }) === undefined;
      sql.pause.run({ topic, now, until: forMs === undefined ? null : now + forMs });
      return begins;
    });
  }

  async resume(topic: string): Promise<boolean> {
    const now = this.#clock.wallMs();
    return this.#write((sql) => {
      const ends = sql.isPaused.get({ topic, now }) !== undefined;
      sql.resume.run(topic);
      return ends;
    });
  }

  async stats(): Promise<StoreStats> {
    const now = this.#clock.wallMs();
    return this.#read((sql) => readStats(sql, now));
  }

  async find(id: string): Promise<MessageStatus | undefined> {
    const now = this.#clock.wallMs();
    return this.#read((sql) => {
      const row = sql.find.get({ id, now }) as Parameters<typeof statusOf>[0] | undefined;
      return row === undefined ? undefined : statusOf(row);
    });
  }

  async listQueued(options: {
    readonly limit: number;
    readonly after?: number;
  }): Promise<QueuedPage> {
    return this.#read((sql) => {
      const { limit, after = 0 } = options;
      const rows = sql.listQueued.all({ limit, after }) as unknown as MessageRow[];
      return { messages: rows.map(messageOf), next: nextOf(rows, limit) };
    });
  }

  async listDead(options: { readonly limit: number; readonly after?: number }): Promise<DeadPage> {
    const now = this.#clock.wallMs();
    return this.#read((sql) => {
      const rows = sql.listDead.all(options.after ?? 0, options.limit) as unknown as MessageRow[];
      return {
        letters: rows.map((row) => deadLetterOf(row, now)),
        next: nextOf(rows, options.limit),
      };
    });
  }

  async findDead(id: string): Promise<DeadLetter | undefined> {
    const now = this.#clock.wallMs();
    return this.#read((sql) => {
      const row = sql.findDead.get(id) as unknown as MessageRow | undefined;
      return row === undefined ? undefined : deadLetterOf(row, now);
    });
  }

  async amendDead(message: Message, detail: string): Promise<boolean> {
    const now = this.#clock.wallMs();
    return this.#write((sql) => {
      const row = sql.deadById.get(message.id) as { seq: number } | undefined;
      if (row === undefined) return false;
      const { topic, key = null, body } = message;
      const history = addTo(sql, row.seq, 'edited', detail, now);
      const headers = headersText(message);
      sql.amend.run(topic, key, headers, body, sizeOf(message), history, row.seq);
      return true;
    });
  }

  async addDead(
    letters: readonly DeadLetter[],
    { inPlaceOfDelivered = false }: AddDeadOptions = {},
  ): Promise<number> {
    const now = this.#clock.wallMs();
    return this.#write((sql, totals) => {
      let added = 0;
      for (const { message, reason, deliveries, replays, deadForMs, history } of letters) {
        const { id, topic, key = null, body } = message;
        const kept = [id, topic, key, headersText(message), body, sizeOf(message), now] as const;
        const diedMs = now - deadForMs;
        const past = JSON.stringify(history);
        if (inPlaceOfDelivered) totals.remembered -= Number(sql.forget.run(id).changes);
        added += Number(
          sql.addDead.run(...kept, diedMs, reason, deliveries, replays, past).changes,
        );
      }
      totals.dead += added;
      return added;
    });
  }

  async replay(ids: readonly string[]): Promise<number> {
    const now = this.#clock.wallMs();
    return this.#eachDead(ids, (sql, totals, { seq, bytes }) => {
      sql.revive.run(addTo(sql, seq, 'replayed', '', now), seq);
      totals.queued += 1;
      totals.queued_bytes += bytes;
    });
  }

  async discard(ids: readonly string[]): Promise<number> {
    return this.#eachDead(ids, (sql, _totals, { seq }) => sql.remove.run(seq));
  }

  async purgeDead(keep: DeadRetention, limit: number): Promise<number> {
    const now = this.#clock.wallMs();
    const doomed = (sql: Statements, dead: number) => {
      const rows = sql.deadFirst.all(limit) as unknown as { seq: number; died_ms: number }[];
      const ages = rows.map(({ died_ms }) => now - died_ms);
      return rows.slice(0, deadPrefix(ages, dead, keep));
    };
    const none = this.#read((sql) => {
      const { dead } = sql.totals.get() as unknown as Totals;
      return doomed(sql, dead).length === 0;
    });
    if (none) return 0;
    return this.#write((sql, totals) => {
      const rows = doomed(sql, totals.dead);
      for (const { seq } of rows) sql.remove.run(seq);
      totals.dead -= rows.length;
      return rows.length;
    });
  }

  async close(): Promise<void> {
    this.#connection.close();
  }

  #read<T>(work: (sql: Statements) => T): T {
    return this.#connection.read((database) => work(this.#prepared(database)));
  }

  /** One transaction; `totals` is read before and written after `work` if it changed them. */
  #write<T>(work: (sql: Statements, totals: Totals) => T): T {
    return this.#connection.write((database) => this.#counted(database, work));
  }

  /**
   * The same for leases and what ends them: a power cut ends every worker on this machine, and what it
   * may forget is sent once more. It spares two flushes of three.
   */
  #writeUnflushed<T>(work: (sql: Statements, totals: Totals) => T): T {
    return this.#connection.writeUnflushed((database) => this.#counted(database, work));
  }

  #counted<T>(database: DatabaseSync, work: (sql: Statements, totals: Totals) => T): T {
    const sql = this.#prepared(database);
    const before = sql.totals.get() as unknown as Totals;
    const totals = { ...before };
    const value = work(sql, totals);
    if (changed(before, totals)) {
      const { queued, queued_bytes, successful, remembered, dead } = totals;
      sql.setTotals.run(queued, queued_bytes, successful, remembered, dead);
    }
    return value;
  }

  #each<Item>(
    items: readonly Item[],
    change: (sql: Statements, item: Item) => { changes: number | bigint },
  ): number {
    return this.#writeUnflushed((sql) => {
      let done = 0;
      for (const item of items) done += Number(change(sql, item).changes);
      return done;
    });
  }

  #eachDead(
    ids: readonly string[],
    change: (sql: Statements, totals: Totals, row: { seq: number; bytes: number }) => void,
  ): number {
    return this.#write((sql, totals) => {
      let done = 0;
      for (const id of ids) {
        const row = sql.deadById.get(id) as { seq: number; bytes: number } | undefined;
        if (row === undefined) continue;
        change(sql, totals, row);
        done += 1;
      }
      totals.dead -= done;
      return done;
    });
  }

  #prepared(database: DatabaseSync): Statements {
    if (this.#statements === undefined || this.#generation !== this.#connection.generation) {
      this.#statements = prepareStatements(database);
      this.#generation = this.#connection.generation;
    }
    return this.#statements;
  }
}

function changed(before: Totals, after: Totals): boolean {
  return (Object.keys(before) as (keyof Totals)[]).some((name) => before[name] !== after[name]);
}

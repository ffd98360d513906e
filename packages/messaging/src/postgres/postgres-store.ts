import { randomUUID } from 'node:crypto';
import { type AcceptsIn, type AppendsIn, acceptIn } from '../accept/accept-in.ts';
import { deadPrefix } from '../dead/dead-prefix.ts';
import { checkHold, checkWait } from '../hold.ts';
import { latestNotes } from '../latest-notes.ts';
import type { Message, NewMessage, Receipt } from '../message.ts';
import type { OutboxLimits } from '../outbox-options.ts';
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
import type { MessageTracer } from '../trace/message-tracer.ts';
import { append, headersText, refuseNul } from './append.ts';
import { listen } from './listener.ts';
import type { PostgresClient, PostgresPool } from './module.ts';
import {
  type PostgresStoreOptions,
  type ResolvedPostgresStoreOptions,
  resolvePostgresStoreOptions,
} from './options.ts';
import {
  deadLetterOf,
  type LeasedRow,
  type MessageRow,
  messageOf,
  pausedIn,
  statusOf,
} from './rows.ts';
import { Session } from './session.ts';
import { type Statements, statements } from './statements.ts';
import { allSteps } from './tables.ts';
import { TopicLeasing } from './topic-leasing.ts';

export interface PostgresStore
  extends MessageStore,
    AppendsIn<PostgresClient>,
    AcceptsIn<PostgresClient> {}

/**
 * Keeps messages in tables of a PostgreSQL database (14 or later, tested on 18), for any number of processes. Its
 * clock is the database's. What is accepted is as durable as your commits (`synchronous_commit`); leases and
 * their ends do not wait for the disk, and are made once more where a crashed server forgot them.
 */
export function postgresStore(given: PostgresStoreOptions): PostgresStore {
  return new Store(resolvePostgresStoreOptions(given));
}

/** Delivered ids beyond what is remembered are deleted after so many deliveries of this process. */
const TRIM_AFTER = 1_000;
/** Rows of the tally are folded after so many changes of this process. */
const FOLD_AFTER = 250;

class Store implements PostgresStore {
  readonly #pool: PostgresPool;
  readonly #options: ResolvedPostgresStoreOptions;
  readonly #session: Session;
  readonly #sql: Statements;
  readonly #topics: TopicLeasing;
  readonly #channel: string;
  /** Tells this store's leases from those of other processes. */
  readonly #worker = randomUUID().slice(0, 8);
  #leases = 0;
  #delivered = 0;
  #changes = 0;

  constructor(options: ResolvedPostgresStoreOptions) {
    const { pool, schema } = options;
    this.#pool = pool;
    this.#options = options;
    this.#session = new Session({
      ...options,
      steps: allSteps(schema),
    });
    this.#sql = statements(schema);
    this.#channel = `holdfast_${schema}`;
    this.#topics = new TopicLeasing(this.#options);
  }

  get tracer(): MessageTracer | undefined {
    return this.#options.tracer;
  }

  async open(): Promise<void> {
    await this.#session.run(async () => {});
  }

  watch(changed: () => void): () => void {
    if (!this.#options.listen) return () => {};
    const { clock } = this.#options;
    const heard = (notification?: unknown) => {
      const { payload } = (notification ?? {}) as { readonly payload?: string };
      // Whoever appends here is told by its own accept, and need not look twice.
      if (payload !== this.#worker) changed();
    };
    return listen({ pool: this.#pool, channel: this.#channel, clock, heard });
  }

  async append(
    groups: readonly AppendGroup[],
    limits: StoreLimits,
  ): Promise<readonly AppendResult[]> {
    const results = await this.#change((client) =>
      append(client, groups, limits, this.#appending(this.#worker)),
    );
    // As many as that may have been replaced, and are remembered.
    const replacing = groups.flat().filter(({ replaces }) => replaces !== undefined).length;
    // What was kept is kept all the same.
    if (replacing > 0) await this.#remembered(replacing).catch(() => {});
    return results;
  }

  async appendIn(
    client: PostgresClient,
    group: AppendGroup,
    limits?: StoreLimits,
  ): Promise<AppendResult> {
    const [result] = await append(client, [group], limits, this.#appending(''));
    if (result === undefined) throw new Error('unreachable: there is an answer for each group');
    return result;
  }

  acceptIn(
    client: PostgresClient,
    messages: readonly NewMessage[],
    limits?: OutboxLimits | null,
  ): Promise<readonly Receipt[]> {
    const { clock } = this.#options;
    const appendIn: typeof this.appendIn = (...args) => this.appendIn(...args);
    return acceptIn({ clock, appendIn, tracer: this.tracer }, client, messages, limits);
  }

  async lease(
    limit: number,
    leaseMs: number,
    topics?: readonly string[],
  ): Promise<readonly Lease[]> {
    checkHold('leaseMs', leaseMs);
    const token = `${this.#worker}:${++this.#leases}`;
    const { rows } = await this.#session.run(async (client) => {
      const given = [limit, leaseMs, token];
      if (topics === undefined) return client.query(this.#sql.lease, [...given, null]);
      const plain = () => client.query(this.#sql.lease, [...given, topics]);
      return this.#topics.lease(client, plain, () =>
        client.query(this.#sql.leaseOf, [...given, topics]),
      );
    });
    const inOrder = (rows as LeasedRow[]).toSorted(
      (a, b) => b.priority - a.priority || Number(a.seq) - Number(b.seq),
    );
    return inOrder.map((row) => ({
      token,
      seq: Number(row.seq),
      message: messageOf(row),
      delivery: row.deliveries,
      expired: row.expired,
    }));
  }

  async complete(leases: readonly Lease[], results: readonly LeaseResult[] = []): Promise<number> {
    const done = await (results.length === 0
      ? this.#held(this.#sql.complete, leases)
      : this.#completeWith(leases, results));
    if (done > 0) await this.#remembered(done);
    return done;
  }

  async renew(leases: readonly Lease[], leaseMs: number): Promise<number> {
    checkHold('leaseMs', leaseMs);
    return this.#held(this.#sql.renew, leases, leaseMs);
  }

  async release(leases: readonly Lease[], options: ReleaseOptions): Promise<number> {
    checkWait('delayMs', options.delayMs);
    const { delayMs, error, attempted = true } = options;
    const detail = error === undefined ? null : detailOf(error);
    return this.#held(this.#sql.release, leases, delayMs, attempted ? 0 : 1, detail);
  }

  async bury(leases: readonly Lease[], reason: string): Promise<number> {
    return this.#held(this.#sql.bury, leases, withoutNul(reason), detailOf(reason));
  }

  async note(notes: readonly LeaseNote[]): Promise<number> {
    const latest = latestNotes(notes);
    const texts = latest.map(({ text }) => withoutNul(text));
    return this.#held(
      this.#sql.note,
      latest.map(({ lease }) => lease),
      texts,
    );
  }

  async withdraw(ids: readonly string[]): Promise<number> {
    return this.#done(this.#sql.withdraw, [ids]);
  }

  async pause(topic: string, forMs?: number): Promise<boolean> {
    return (await this.#done(this.#sql.pause, [topic, forMs ?? null])) === 1;
  }

  async resume(topic: string): Promise<boolean> {
    const { channel } = this.#appending('');
    return (await this.#done(this.#sql.resume, [topic, channel])) === 1;
  }

  async stats(): Promise<StoreStats> {
    const { rows } = await this.#session.run((client) => client.query(this.#sql.totals));
    const { accepted_ms, start_ms, now_ms, paused, ...totals } = rows[0];
    const now = Number(now_ms);
    const sinceMs = Math.min(Number(accepted_ms ?? now), Number(start_ms ?? now));
    return {
      queued: Number(totals.queued),
      queuedBytes: Number(totals.queued_bytes),
      successful: Number(totals.successful),
      dead: Number(totals.dead),
      oldestMs: Math.max(0, now - sinceMs),
      paused: pausedIn(paused),
    };
  }

  async find(id: string): Promise<MessageStatus | undefined> {
    const { rows } = await this.#session.run((client) => client.query(this.#sql.find, [id]));
    return rows[0] === undefined ? undefined : statusOf(rows[0]);
  }

  async listQueued(options: {
    readonly limit: number;
    readonly after?: number;
  }): Promise<QueuedPage> {
    const rows = await this.#page(this.#sql.listQueued, options);
    return { messages: rows.map(messageOf), next: nextOf(rows, options.limit) };
  }

  async listDead(options: { readonly limit: number; readonly after?: number }): Promise<DeadPage> {
    const rows = await this.#page(this.#sql.listDead, options);
    return { letters: rows.map(deadLetterOf), next: nextOf(rows, options.limit) };
  }

  async findDead(id: string): Promise<DeadLetter | undefined> {
    const { rows } = await this.#session.run((client) => client.query(this.#sql.findDead, [id]));
    return rows[0] === undefined ? undefined : deadLetterOf(rows[0]);
  }

  async amendDead(message: Message, detail: string): Promise<boolean> {
    refuseNul(message);
    const { id, topic, key = null, body } = message;
    const headers = headersText(message.headers);
    const values = [id, topic, key, headers, body, sizeOf(message), detailOf(detail)];
    return (await this.#done(this.#sql.amend, values)) === 1;
  }

  async addDead(
    letters: readonly DeadLetter[],
    { inPlaceOfDelivered = false }: AddDeadOptions = {},
  ): Promise<number> {
    for (const { message } of letters) refuseNul(message);
    return this.#done(this.#sql.addDead, [
      letters.map(({ message: { id } }) => id),
      letters.map(({ message: { topic } }) => topic),
      letters.map(({ message: { key } }) => key ?? null),
      letters.map(({ message: { headers } }) => headersText(headers)),
      letters.map(({ message: { body } }) => body),
      letters.map(({ message }) => sizeOf(message)),
      letters.map(({ deadForMs }) => deadForMs),
      letters.map(({ reason }) => withoutNul(reason)),
      letters.map(({ deliveries }) => deliveries),
      letters.map(({ replays }) => replays),
      letters.map(({ history }) => historyText(history)),
      inPlaceOfDelivered,
    ]);
  }

  async replay(ids: readonly string[]): Promise<number> {
    return this.#done(this.#sql.replay, [ids]);
  }

  async discard(ids: readonly string[]): Promise<number> {
    return this.#done(this.#sql.discard, [ids]);
  }

  async purgeDead(keep: DeadRetention, limit: number): Promise<number> {
    const { rows } = await this.#session.run((client) =>
      client.query(this.#sql.deadFirst, [limit]),
    );
    const ages = rows.map(({ age }) => Number(age));
    const doomed = rows.slice(0, deadPrefix(ages, Number(rows[0]?.dead ?? 0), keep));
    if (doomed.length === 0) return 0;
    return this.#done(this.#sql.purge, [doomed.map(({ seq }) => seq)]);
  }

  /** The pool stays open. */
  async close(): Promise<void> {
    this.#session.close();
  }

  #appending(teller: string) {
    return { sql: this.#sql, channel: this.#options.listen ? this.#channel : '', teller };
  }

  async #page(sql: string, { limit, after = 0 }: { limit: number; after?: number }) {
    const { rows } = await this.#session.run((client) => client.query(sql, [after, limit]));
    return rows as (MessageRow & { dead_for: string })[];
  }

  #completeWith(leases: readonly Lease[], results: readonly LeaseResult[]): Promise<number> {
    const of = new Map(results.map((result) => [result.lease.seq, result]));
    const given = leases.map(({ seq, token }) => {
      const result = of.get(seq);
      return result?.lease.token === token ? result : undefined;
    });
    return this.#held(
      this.#sql.completeWith,
      leases,
      given.map((result) => (result === undefined ? null : withoutNul(result.text))),
      given.map((result) => result?.keptMs ?? null),
    );
  }

  /** What is done to those of `leases` that are still held. */
  #held(sql: string, leases: readonly Lease[], ...more: unknown[]): Promise<number> {
    if (leases.length === 0) return Promise.resolve(0);
    const given = [leases.map(({ seq }) => seq), leases.map(({ token }) => token)];
    return this.#done(sql, [...given, ...more]);
  }

  async #done(sql: string, values: unknown[]): Promise<number> {
    return this.#change(async (client) => (await client.query(sql, values)).rows[0].done as number);
  }

  /** So many ids more are remembered; now and then those beyond what is to be are forgotten. */
  async #remembered(count: number): Promise<void> {
    this.#delivered += count;
    const { rememberDelivered } = this.#options;
    if (rememberDelivered !== 0 && this.#delivered < TRIM_AFTER) return;
    this.#delivered = 0;
    await this.#session.run((client) => client.query(this.#sql.trim, [rememberDelivered]));
  }

  async #change<T>(work: (client: PostgresClient) => Promise<T>): Promise<T> {
    return this.#session.run(async (client) => {
      const value = await work(client);
      this.#changes += 1;
      if (this.#changes >= FOLD_AFTER) {
        this.#changes = 0;
        // It is done again later; what was changed is changed all the same.
        await client.query(this.#sql.fold).catch(() => {});
      }
      return value;
    });
  }
}

function nextOf(rows: readonly MessageRow[], limit: number): number | undefined {
  const last = rows.at(-1);
  return rows.length < limit || last === undefined ? undefined : Number(last.seq);
}

/** As much of a text as a history keeps. */
function detailOf(text: string): string {
  return withoutNul(text).slice(0, 500);
}

/** Nor do its JSON values hold half a surrogate pair, which a line of an export may. */
function historyText(history: DeadLetter['history']): string {
  const plain = history.map(({ at, what, detail }) => ({
    ...{ at, what },
    detail: withoutNul(detail).toWellFormed(),
  }));
  return JSON.stringify(plain);
}

/** PostgreSQL's texts cannot hold U+0000, which an error's message may. */
function withoutNul(text: string): string {
  return text.replaceAll('\0', '');
}

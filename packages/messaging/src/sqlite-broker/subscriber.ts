import { randomUUID } from 'node:crypto';
import type { Handling } from '../consume/giving-up.ts';
import { Hands } from '../consume/hands.ts';
import { oneSuspect } from '../consume/one-suspect.ts';
import { type ResolvedSubscribeOptions, tell } from '../consume/subscribe-options.ts';
import type { JoiningSubscription } from '../consume/subscriptions.ts';
import { StoreUnavailableError } from '../errors.ts';
import { Doorbell } from '../relay/doorbell.ts';
import { type BrokerFile, pauseMs } from './broker-file.ts';
import type { FileWatch } from './file-watch.ts';
import type { ResolvedSqliteBrokerOptions } from './options.ts';
import { type DeliveryRow, messageOf } from './rows.ts';
import { acknowledge, type Statements } from './statements.ts';
import { forgetGroups, sweepExpired } from './sweep.ts';

export interface SubscriberEnv {
  readonly file: BrokerFile;
  readonly watch: FileWatch;
  readonly options: ResolvedSqliteBrokerOptions;
}

/** How often it looks although nothing was heard: at most, and at least where nothing can be heard. */
const LOOK_MS = 250;
const LOOK_SOON_MS = 25;
/** A lease is renewed so often before it ends. */
const BEATS = 4;
const SWEEP_MS = 30_000;
const SWEEP_LOT = 1_000;
/** So long a file may be locked before anybody hears of it. */
const TROUBLE_MS = 2_000;
const LEAVE_MS = 1_000;

/**
 * One member of a group. In one loop it writes down what was handled, renews
 * its leases and takes more, each time in one transaction, until it is closed
 * and its handlers have ended.
 */
export class SqliteSubscriber implements JoiningSubscription {
  readonly joined: Promise<void>;
  readonly ended: Promise<void>;
  readonly #file: BrokerFile;
  readonly #watch: FileWatch;
  readonly #broker: ResolvedSqliteBrokerOptions;
  readonly #options: ResolvedSubscribeOptions;
  readonly #topic: string;
  readonly #owner = randomUUID();
  readonly #bell: Doorbell;
  readonly #closing = new AbortController();
  readonly #inHand = new Set<number>();
  #hands: Hands;
  #handled: number[] = [];
  #group = 0;
  /** Of the file, when we joined. */
  #generation = 0;
  #over = false;
  #beatAtMs = 0;
  #sweepAtMs = 0;
  #troubleSinceMs: number | undefined;
  #troubleTold = false;

  constructor(
    { file, options: broker, watch }: SubscriberEnv,
    topic: string,
    options: ResolvedSubscribeOptions,
    handler: Handling,
  ) {
    this.#file = file;
    this.#watch = watch;
    this.#broker = broker;
    this.#options = options;
    this.#topic = topic;
    this.#bell = new Doorbell(broker.clock);
    this.#hands = new Hands(handler, options, broker.clock);
    this.joined = this.#join();
    this.ended = this.joined.then(
      () => this.#run(),
      // Said where it was waited for, in `joined`.
      () => {},
    );
  }

  /** There may be something new in the file. */
  look(): void {
    this.#bell.ring();
  }

  async close(): Promise<void> {
    if (!this.#closing.signal.aborted) {
      this.#closing.abort();
      void this.#hands.end().then(() => {
        this.#over = true;
        this.#bell.ring();
      });
    }
    await this.ended;
  }

  async #join(): Promise<void> {
    await this.#file.patiently(
      () => {
        this.#group = this.#file.write((sql) => this.#joinIn(sql));
        this.#generation = this.#file.generation;
      },
      this.#broker.timeoutMs,
      this.#closing.signal,
    );
  }

  /** Makes the group where it is missing. */
  #joinIn(sql: Statements): number {
    return Number(sql.join.get({ ...this.#name, now: this.#broker.clock.wallMs() })?.id);
  }

  get #name(): { readonly topic: string; readonly name: string } {
    return { topic: this.#topic, name: this.#options.group };
  }

  /** Whether the file is the one that we joined in, opened once, and has our group still. */
  #knowsUs(sql: Statements): boolean {
    if (this.#file.generation !== this.#generation) return false;
    return sql.isThere.get({ ...this.#name, group: this.#group }) !== undefined;
  }

  async #run(): Promise<void> {
    let tries = 0;
    let idle = 0;
    while (!this.#over) {
      try {
        idle = this.#turn() ? 0 : idle + 1;
        tries = 0;
        this.#troubleSinceMs = undefined;
        this.#troubleTold = false;
      } catch (error) {
        this.#trouble(error);
        await this.#broker.clock.sleep(pauseMs(tries));
        tries += 1;
        continue;
      }
      this.#watch.follow(this.#file.generation);
      const soonMs = LOOK_SOON_MS * 2 ** Math.min(idle, 10);
      await this.#bell.wait(this.#watch.works ? LOOK_MS : Math.min(LOOK_MS, soonMs));
      // What is handled in the same turn is written down together.
      await endOfTurn();
    }
    await this.#leave();
  }

  /** Returns whether there was something to do. */
  #turn(): boolean {
    const { clock, leaseMs } = this.#broker;
    const beating = clock.now() >= this.#beatAtMs && this.#inHand.size > 0;
    const sweeping = clock.now() >= this.#sweepAtMs;
    const now = clock.wallMs();
    const limit = this.#room();
    const looking =
      limit > 0 && this.#file.read((sql) => !this.#knowsUs(sql) || this.#mayTake(sql, now));
    if (!looking && !beating && !sweeping && this.#handled.length === 0) return false;

    const handled = this.#handled;
    const { group, lost, rows } = this.#file.note((sql) => {
      if (!this.#knowsUs(sql)) return { group: this.#joinAnew(sql), lost: true, rows: [] };
      this.#writeDown(sql, handled);
      if (sweeping) this.#sweep(sql, now);
      const owner = { owner: this.#owner, group: this.#group };
      const expected = this.#inHand.size - handled.filter((seq) => this.#inHand.has(seq)).length;
      const ours = sql.ours.all(owner);
      if (ours.length === expected && ours.every(({ seq }) => this.#inHand.has(Number(seq)))) {
        if (expected > 0) sql.renew.run({ ...owner, due: now + leaseMs });
        return { group: this.#group, lost: false, rows: this.#take(sql, now, limit) };
      }
      // This process stood still for longer than a lease: what it had in line is another's now. Or somebody has put
      // a backup back into the open file: that says of others that they are ours.
      sql.release.run(owner);
      return { group: this.#group, lost: true, rows: [] };
    });
    this.#forgetHandled(handled);
    this.#beatAtMs = clock.now() + leaseMs / BEATS;
    if (sweeping) this.#sweepAtMs = clock.now() + SWEEP_MS;
    this.#group = group;
    this.#generation = this.#file.generation;
    if (lost) this.#beginAnew();
    for (const row of rows) this.#give(row);
    if (this.#hands.trials.count > 0) void this.#hands.trials.over().then(() => this.#bell.ring());
    return true;
  }

  /**
   * How many more it may have in hand. With a concurrency of 1 they wait in one lane; else there is
   * room for as many that wait to be tried again.
   */
  #room(): number {
    if (this.#closing.signal.aborted || this.#hands.trials.count > 0) return 0;
    const { concurrency } = this.#options;
    const most = concurrency === 1 ? this.#broker.prefetch : 2 * concurrency;
    return most - this.#inHand.size + this.#handled.length;
  }

  /** With a concurrency of 1 only while no other member has anything in hand: that keeps the order. */
  #mayTake(sql: Statements, now: number): boolean {
    const facts = { group: this.#group, now };
    if (this.#options.concurrency === 1) {
      if (sql.heldByOther.get({ ...facts, owner: this.#owner }) !== undefined) return false;
    }
    return sql.anyFree.get(facts) !== undefined;
  }

  #take(sql: Statements, now: number, limit: number): DeliveryRow[] {
    if (limit <= 0 || !this.#mayTake(sql, now)) return [];
    const free = sql.free.all({ group: this.#group, now, limit }) as unknown as DeliveryRow[];
    const rows =
      this.#options.giveUp === undefined
        ? free
        : oneSuspect(free, ({ deliveries }) => deliveries > 0);
    const mine = { owner: this.#owner, due: now + this.#broker.leaseMs, group: this.#group };
    for (const { seq } of rows) sql.take.run({ ...mine, seq });
    return rows;
  }

  /**
   * Somebody has put a backup in the file's place, or taken the group away. What this member had in hand it has no
   * more, also where the backup says so: another message may be in that place.
   */
  #joinAnew(sql: Statements): number {
    const group = this.#joinIn(sql);
    sql.release.run({ owner: this.#owner, group });
    return group;
  }

  /** What is at work ends, and is written down; nothing that waited behind it begins. */
  #beginAnew(): void {
    this.#hands = this.#hands.next();
    this.#inHand.clear();
    this.#bell.ring();
  }

  #give(row: DeliveryRow): void {
    this.#inHand.add(row.seq);
    const lane = this.#options.concurrency === 1 ? this.#topic : undefined;
    const generation = this.#generation;
    const done = () => {
      // Of a file that is there no more.
      if (generation !== this.#generation) return;
      this.#handled.push(row.seq);
      this.#bell.ring();
    };
    this.#hands.give(messageOf(row), done, { lane, earlier: row.deliveries, inLine: 1 });
  }

  #writeDown(sql: Statements, handled: readonly number[]): void {
    for (const seq of handled) acknowledge(sql, this.#group, seq);
  }

  #forgetHandled(handled: readonly number[]): void {
    this.#handled = this.#handled.slice(handled.length);
    for (const seq of handled) this.#inHand.delete(seq);
  }

  #sweep(sql: Statements, now: number): void {
    const { forgetGroupsAfterMs } = this.#broker;
    sql.seen.run({ now, group: this.#group });
    sweepExpired(sql, now, SWEEP_LOT);
    if (forgetGroupsAfterMs !== undefined) forgetGroups(sql, now - forgetGroupsAfterMs);
  }

  /** A lock that others hold for a moment is no news; a file that is gone is. */
  #trouble(error: unknown): void {
    const nowMs = this.#broker.clock.now();
    this.#troubleSinceMs ??= nowMs;
    if (this.#troubleTold || nowMs - this.#troubleSinceMs < TROUBLE_MS) return;
    this.#troubleTold = true;
    const told = error instanceof StoreUnavailableError ? this.#file.unavailable(error) : error;
    tell(this.#options, { kind: 'connection-lost', error: told });
  }

  /** Gives back what it did not handle, so that nobody has to wait for the lease. */
  async #leave(): Promise<void> {
    const mine = { owner: this.#owner, group: this.#group };
    const leave = () =>
      this.#file.note((sql) => {
        this.#writeDown(sql, this.#handled);
        sql.release.run(mine);
      });
    // Where the file cannot be used, the leases end by themselves.
    await this.#file.patiently(leave, LEAVE_MS).catch(() => {});
  }
}

const endOfTurn = () => new Promise<void>((resolve) => setImmediate(resolve));

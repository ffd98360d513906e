import { randomUUID } from 'node:crypto';
import type { ResolvedSubscribeOptions } from '../consume/subscribe-options.ts';
import type { PostgresClient } from '../postgres/module.ts';
import type { Session } from '../postgres/session.ts';
import { readHeaders } from '../read-headers.ts';
import { type Claim, deliveriesOf, type Hand } from './hand.ts';
import { channelOf } from './notices.ts';
import type { ResolvedPostgresBrokerOptions } from './options.ts';
import { ServerTime } from './server-time.ts';
import type { Statements } from './statements.ts';

/** A group that is there for another `concurrency`, with messages in hand: it stays so until they are handled. */
export class GroupMismatch extends Error {
  override readonly name = 'GroupMismatch';
}

export interface MemberOptions {
  readonly session: Session;
  readonly sql: Statements;
  readonly broker: ResolvedPostgresBrokerOptions;
  readonly topic: string;
  readonly subscribe: ResolvedSubscribeOptions;
}

/** What a member has as it asks for more. */
export type TakeHand = Pick<Hand, 'claimed' | 'stuck'>;

/** What one member of a group says to the database. */
export class Member {
  readonly #options: MemberOptions;
  /** Those it has claimed under, the one it claims under now last. */
  #names: readonly string[] = [];
  readonly ordered: boolean;
  #group: number | undefined;
  readonly #serverTime: ServerTime;

  constructor(options: MemberOptions) {
    this.#options = options;
    this.#anotherName();
    const { clock, claimMs } = options.broker;
    this.#serverTime = new ServerTime(clock, claimMs / 4);
    this.ordered = options.subscribe.concurrency === 1;
  }

  /** Makes the group where it is missing. False where it is another one than before: a database put back, say. */
  async join(): Promise<boolean> {
    const { sql, subscribe, topic } = this.#options;
    // A database that was put back may hold live claims under our name that we have no more: as if they were another's.
    if (this.#group !== undefined) this.#anotherName();
    const [row] = await this.#timed(sql.join, [topic, subscribe.group, this.ordered]);
    if (row.ordered !== this.ordered) {
      const [theirs, ours] = this.ordered ? ['above 1', '1'] : ['1', 'above 1'];
      throw new GroupMismatch(
        `its members handle messages with a concurrency of ${theirs}, this one wants ${ours}. End them first`,
      );
    }
    const before = this.#group;
    this.#group = row.id;
    return before === undefined || before === row.id;
  }

  /** Rejects where the group is gone, or another is in its place. */
  async checkGroup(): Promise<void> {
    const { sql, subscribe, topic } = this.#options;
    const [row] = await this.#timed(sql.group, [topic, subscribe.group]);
    if (row?.id !== this.#group) throw new Error('its group was taken away, and is made again');
  }

  /** Once nothing is in hand or owed. */
  forgetOldNames(): void {
    this.#names = this.#names.slice(-1);
  }

  /**
   * Up to `most` messages, the oldest first. Where the answer is lost, or comes to nothing until later,
   * there may be claims that this member does not know of: they are under a name that it uses no more,
   * so that it takes nothing of their keys until they lapse, as nobody else does. Under the name that it uses
   * there are those of `hand`, and what a backup brought back.
   */
  async take(most: number, { claimed, stuck }: TakeHand): Promise<readonly Claim[]> {
    const { broker, sql } = this.#options;
    const { claimMs, clock } = broker;
    const untilMs = clock.now() + claimMs;
    const untilServerMs = this.#serverTime.at(clock.now() + claimMs / 2);
    const holder = this.#names.at(-1);
    const values = [
      this.#group,
      holder,
      most,
      claimMs,
      this.ordered,
      stuck,
      untilServerMs,
      claimed,
    ];
    const rows = await this.#ask(sql.take, values).catch((error: unknown) => {
      this.#anotherName();
      throw error;
    });
    const { topic } = this.#options;
    return rows.map((row) => ({
      seq: row.seq,
      message: {
        id: row.id || `${topic}/${row.seq}`,
        topic,
        key: row.key ?? undefined,
        body: row.body,
        headers: readHeaders(row.headers),
      },
      deliveries: row.deliveries,
      untilMs,
      begun: false,
    }));
  }

  /** Those that are still ours are so for another `claimMs`; tells `hand` which are not. */
  async renew(hand: Hand): Promise<void> {
    const { broker, sql } = this.#options;
    const { claimMs, clock } = broker;
    const held = hand.held;
    if (held.length === 0) return;
    const untilMs = clock.now() + claimMs;
    const seqs = held.map(({ seq }) => seq);
    const counts = held.map(({ deliveries }) => deliveries);
    const rows = await this.#ask(sql.renew, [this.#group, this.#names, seqs, counts, claimMs]);
    hand.renewed(new Set(rows.map(({ seq }) => seq)), held, untilMs);
  }

  async acknowledge(claims: readonly Claim[]): Promise<void> {
    const { session, sql } = this.#options;
    const seqs = claims.map(({ seq }) => seq);
    const rows = await this.#ask(sql.acknowledge, [this.#group, this.#names, seqs]);
    if (rows.length === claims.length) return;
    const gone = new Set(rows.map(({ seq }) => seq));
    const left = claims.filter(({ seq }) => !gone.has(seq));
    const ids = left.map(({ message: { id } }) => id);
    const values = [this.#group, this.#names, left.map(({ seq }) => seq), ids];
    await session.run((client) =>
      inTransaction(client, async () => {
        await client.query(sql.lock, [this.#group]);
        await client.query(sql.acknowledgeUnclaimed, values);
      }),
    );
  }

  /**
   * After the database was away for `awayMs`: claims that lapsed meanwhile, because nobody could renew them, are
   * good for another `claimMs`, so that those who handled their messages can say so before others have them.
   */
  async spare(awayMs: number): Promise<void> {
    const { broker, sql } = this.#options;
    await this.#ask(sql.spare, [this.#group, this.#names, broker.claimMs, Math.ceil(awayMs)]);
  }

  /** `tell`: other members are to look at once. */
  async giveBack(claims: readonly Claim[], tell: boolean): Promise<void> {
    const { broker, sql, topic } = this.#options;
    const seqs = claims.map(({ seq }) => seq);
    const channel = tell ? channelOf(broker) : '';
    const values = [this.#group, this.#names, seqs, claims.map(deliveriesOf), channel, topic];
    await this.#ask(sql.giveBack, values);
  }

  /** A question whose answer says what the database's clock shows. */
  // biome-ignore lint/suspicious/noExplicitAny: what `pg` says of its rows.
  async #timed(sql: string, values: unknown[]): Promise<any[]> {
    const askedMs = this.#options.broker.clock.now();
    const rows = await this.#ask(sql, values);
    if (rows.length > 0) this.#serverTime.heard(Number(rows[0].now), askedMs);
    return rows;
  }

  #anotherName(): void {
    const name = `${this.#options.broker.clientId}:${randomUUID().slice(0, 8)}`;
    this.#names = [...this.#names, name];
  }

  // biome-ignore lint/suspicious/noExplicitAny: what `pg` says of its rows.
  async #ask(sql: string, values: unknown[]): Promise<any[]> {
    return (await this.#options.session.run((client) => client.query(sql, values))).rows;
  }
}

async function inTransaction(client: PostgresClient, work: () => Promise<void>): Promise<void> {
  await client.query('BEGIN');
  try {
    await work();
    await client.query('COMMIT');
  } catch (error) {
    // Where this fails as well, the connection is thrown away, and the transaction with it.
    await client.query('ROLLBACK').catch(() => {});
    throw error;
  }
}

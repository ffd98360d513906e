import { identityOf } from '../died-at.ts';
import { BrokerRejectedError } from '../errors.ts';
import type { OutgoingMessage } from '../message.ts';
import { headersText } from '../postgres/append.ts';
import type { PostgresClient } from '../postgres/module.ts';
import { messageProblem } from './message-problem.ts';
import { channelOf } from './notices.ts';
import type { ResolvedPostgresBrokerOptions } from './options.ts';
import { Room } from './room.ts';
import type { Statements } from './statements.ts';

/** Old ids are forgotten after so many messages, up to twice as many at a time. */
const FORGET_AFTER = 500;

interface Verdicts {
  readonly rejected: Map<string, string>;
  readonly postponed: Map<string, string>;
}

/** Writes messages for the groups of their topics: one statement, which is a transaction or part of yours. */
export class PostgresPublisher {
  readonly #options: ResolvedPostgresBrokerOptions;
  readonly #sql: Statements;
  readonly #room: Room;
  #published = 0;

  constructor(options: ResolvedPostgresBrokerOptions, sql: Statements) {
    this.#options = options;
    this.#sql = sql;
    this.#room = new Room(options.maxMessages);
  }

  /** Resolves with what is not taken; rejects with what the client says. */
  async publish(
    client: PostgresClient,
    messages: readonly OutgoingMessage[],
  ): Promise<BrokerRejectedError | undefined> {
    const verdicts: Verdicts = { rejected: new Map(), postponed: new Map() };
    const { postponed, rejected } = verdicts;
    const well = messages.filter((message) => {
      const problem = messageProblem(message, this.#options.maxBodyBytes);
      if (problem !== undefined) rejected.set(message.id, problem);
      return problem === undefined;
    });
    const fitting = await this.#fitting(client, well, verdicts);
    if (fitting.length > 0) await this.#insert(client, fitting, verdicts);
    if (rejected.size + postponed.size === 0) return undefined;
    const taken = new Set(
      messages.map(({ id }) => id).filter((id) => !rejected.has(id) && !postponed.has(id)),
    );
    return new BrokerRejectedError({ rejected, postponed, taken });
  }

  get untidy(): boolean {
    return this.#published >= FORGET_AFTER && this.#options.duplicateWindowMs > 0;
  }

  /** Bounded work, now and then. */
  async tidy(client: PostgresClient): Promise<void> {
    const { duplicateWindowMs } = this.#options;
    const lot = this.#published * 2;
    this.#published = 0;
    await client.query(this.#sql.forgetIds, [duplicateWindowMs, lot]);
  }

  async #fitting(
    client: PostgresClient,
    messages: readonly OutgoingMessage[],
    { postponed }: Verdicts,
  ): Promise<readonly OutgoingMessage[]> {
    const { clock, maxMessages } = this.#options;
    const wanted = new Map<string, number>();
    for (const { topic } of messages) wanted.set(topic, (wanted.get(topic) ?? 0) + 1);
    const fromMs = clock.now();
    const unsure = this.#room.unsure(wanted, fromMs);
    if (unsure.length > 0) {
      const { rows } = await client.query(this.#sql.waiting, [unsure, maxMessages + 1]);
      this.#room.measured(unsure, rows, { fromMs, nowMs: clock.now() });
    }
    return messages.filter(({ id, topic }) => {
      const full = this.#room.take(topic);
      if (full !== undefined) postponed.set(id, full);
      return full === undefined;
    });
  }

  async #insert(
    client: PostgresClient,
    messages: readonly OutgoingMessage[],
    { postponed }: Verdicts,
  ): Promise<void> {
    const { duplicateWindowMs, requireSubscriber } = this.#options;
    const once = distinct(messages);
    const values: unknown[] = [
      once.map(({ topic }) => topic),
      once.map(({ id }) => id),
      once.map(({ key }) => key ?? null),
      once.map(({ headers }) => headersText(headers)),
      once.map(({ body }) => body),
      channelOf(this.#options),
      once.map(identityOf),
    ];
    const { rows } = await (duplicateWindowMs === 0
      ? client.query(this.#sql.publish, values)
      : client.query(this.#sql.publishOnce, [...values, duplicateWindowMs]));
    this.#published += once.length;
    if (!requireSubscriber) return;
    const lonely = new Set<string>(rows[0].lonely);
    for (const { id, topic } of messages) {
      if (lonely.has(topic)) postponed.set(id, `nobody has subscribed to "${topic}" yet`);
    }
  }
}

/** Of each topic and id the first. */
function distinct(messages: readonly OutgoingMessage[]): readonly OutgoingMessage[] {
  const seen = new Set<string>();
  return messages.filter(({ id, topic }) => {
    const name = `${topic}\0${id}`;
    if (seen.has(name)) return false;
    seen.add(name);
    return true;
  });
}

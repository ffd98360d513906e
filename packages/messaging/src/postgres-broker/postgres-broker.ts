import { completeMessage } from '../accept/new-message.ts';
import type { Broker } from '../broker.ts';
import { givingUp } from '../consume/giving-up.ts';
import { resolveSubscribeOptions } from '../consume/subscribe-options.ts';
import { Subscriptions } from '../consume/subscriptions.ts';
import { BrokerUnavailableError } from '../errors.ts';
import type { NewMessage, OutgoingMessage } from '../message.ts';
import type { PostgresClient } from '../postgres/module.ts';
import { Session } from '../postgres/session.ts';
import { topicProblem } from './message-problem.ts';
import { Notices } from './notices.ts';
import { type PostgresBrokerOptions, resolvePostgresBrokerOptions } from './options.ts';
import { PostgresPublisher } from './publisher.ts';
import { statements } from './statements.ts';
import { PostgresSubscriber } from './subscriber.ts';
import { tables } from './tables.ts';

export interface PostgresBroker extends Broker {
  /**
   * Publishes in the transaction that `client` is in: what is taken reaches the groups when it
   * commits, and never was when it is rolled back. Rejects with `BrokerRejectedError` for messages
   * that are not taken (those beside them are, should it commit), and with the client's own error for
   * what the database refuses. Messages are as `Outbox.accept` takes them, without `dueAt`, `delayMs`
   * and `priority`. The tables must be there: `open`, or anything published or subscribed before.
   */
  publishIn(client: PostgresClient, messages: readonly PublishMessage[]): Promise<void>;

  /** Makes the tables where they are missing. */
  open(): Promise<void>;

  /**
   * Forgets a group that will not come back, and what waits for it; resolves with how many messages
   * that were. A member that is still there makes it anew, empty, when it next connects.
   */
  forgetGroup(topic: string, group: string): Promise<number>;
}

export type PublishMessage = Omit<NewMessage, 'dueAt' | 'delayMs' | 'priority'>;

/** So many rows are deleted at a time. */
const FORGET_LOT = 5_000;

/**
 * PostgreSQL (14 or later, tested on 14 to 18) as a broker, for any number of processes: a row for each group and message,
 * claims that lapse, `LISTEN` and polling. Its clock is the database's.
 */
export function postgresBroker(given: PostgresBrokerOptions): PostgresBroker {
  const broker = resolvePostgresBrokerOptions(given);
  const { clock, maxBodyBytes, schema } = broker;
  const session = new Session({
    ...broker,
    about: 'broker',
    steps: [tables(schema)],
    versions: 'broker_version',
  });
  const sql = statements(schema);
  const publisher = new PostgresPublisher(broker, sql);
  const notices = new Notices(broker);
  const subscriptions = new Subscriptions();

  return {
    async publish(messages) {
      if (messages.length === 0) return;
      const refusal = await available(session.run((client) => publisher.publish(client, messages)));
      // What was published is safe; this is done again later.
      if (publisher.untidy) await session.run((client) => publisher.tidy(client)).catch(() => {});
      if (refusal !== undefined) throw refusal;
    },

    async publishIn(client, messages) {
      const complete: OutgoingMessage[] = messages.map((message) =>
        completeMessage(message, maxBodyBytes, clock.wallMs()),
      );
      if (complete.length === 0) return;
      const refusal = await publisher.publish(client, complete);
      if (refusal !== undefined) throw refusal;
    },

    open: () => available(session.run(async () => {})),

    async subscribe(topic, how, handler) {
      const subscribe = resolveSubscribeOptions(how);
      const member = { session, sql, broker, topic, subscribe };
      const problem = topicProblem(topic);
      if (problem !== undefined) throw new TypeError(`Cannot subscribe to "${topic}": ${problem}.`);
      return subscriptions.join(
        new PostgresSubscriber(member, notices, givingUp(handler, subscribe)),
        topic,
      );
    },

    forgetGroup: (topic, group) =>
      available(
        (async () => {
          const ask = (text: string, values: unknown[]) =>
            session.run((client) => client.query(text, values));
          const { rows } = await ask(sql.group, [topic, group]);
          if (rows.length === 0) return 0;
          const { id } = rows[0];
          await ask(sql.dropGroup, [id]);
          let forgotten = 0;
          for (let gone = FORGET_LOT; gone === FORGET_LOT; forgotten += gone) {
            gone = (await ask(sql.dropDeliveries, [id, FORGET_LOT])).rows[0].gone;
          }
          await ask(sql.dropClaims, [id]);
          return forgotten;
        })(),
      ),

    /** The pool stays open. */
    async close() {
      await subscriptions.close();
      session.close();
    },
  };
}

async function available<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new BrokerUnavailableError(why, error);
  }
}

import type { IncomingMessage, OutgoingMessage } from './message.ts';
import type { HistoryEntry } from './store.ts';

/**
 * What carries messages from this process to others.
 *
 * Every broker adapter keeps these promises, and `testing/contracts/broker-contract.ts`
 * holds each to them, against the real server:
 *
 * 1. `publish` resolves when the broker has acknowledged every message, not before.
 * 2. A message the broker does not take although it is well makes `publish` reject with
 *    `BrokerRejectedError`, which names it, and names those of the call that were taken; any other
 *    failure is an outage and says nothing about the messages.
 * 3. While the broker cannot be reached `publish` fails within its time limit, and what it was
 *    given is not sent later behind the caller's back.
 * 4. Id, key, headers and body arrive as they were sent.
 * 5. Messages of one topic and key reach a group in the order published.
 * 6. A message is acknowledged after its handler has succeeded. One whose handler fails, or whose
 *    process dies, is handed over again. Members of one group share: as long as they live and the
 *    broker stays, each message goes to one of them.
 * 7. Each group gets every message published since it first subscribed, also those published
 *    while it was away.
 * 8. A subscription comes back by itself after an outage.
 */
export interface Broker {
  /** What it is, as traces name it: `kafka`, `rabbitmq`, `nats`, `mqtt`. */
  readonly system?: string;

  /**
   * Connects now, in place of with the first `publish`, for who wants to know at once whether that can be. Rejects with
   * `BrokerUnavailableError`. Absent: this kind of broker is met with the first call.
   */
  connect?(): Promise<void>;

  publish(messages: readonly OutgoingMessage[]): Promise<void>;

  /** Resolves when messages published from now on will reach the group; rejects when the broker is closed before. */
  subscribe(topic: string, options: SubscribeOptions, handler: Handler): Promise<Subscription>;

  /** Ends subscriptions (the handler's current message is finished) and connections. */
  close(): Promise<void>;
}

/** Effects belong in here, together with `Inbox` where they must happen once. */
export type Handler = (message: IncomingMessage) => Promise<void>;

export interface SubscribeOptions {
  /** Members of one group share the messages; each group gets all of them. */
  readonly group: string;
  /**
   * Messages this member handles at the same time.
   *
   * With 1 the order of promise 5 holds over all members of the group (not in MQTT's sessions per
   * member: they work side by side whatever this says). With more, members work
   * side by side and the order is given up, except in Kafka, where it is kept in each partition.
   * Members of one group must agree.
   *
   * @default 1 (1 … 1_000)
   */
  readonly concurrency?: number;
  /**
   * For a handler that gathers messages to do them together, in Kafka (elsewhere `concurrency` does): so
   * many of a partition are with it at a time, in order, and acknowledged in order. One that fails may be overtaken
   * by those that were with it. Where it is more than `concurrency`, it counts in place of that.
   *
   * @default 1 (1 … 10_000)
   */
  readonly gather?: number;
  /** Waits before handing a message over again: the first, doubling. @default 100 ms */
  readonly redeliverMs?: number;
  /** No wait is longer. @default 10_000 ms */
  readonly maxRedeliverMs?: number;
  /** What only one kind of broker knows, in its layout's words. @default nothing */
  readonly details?: Readonly<Record<string, string>>;
  /**
   * What becomes of a message that the handler does not get done. Without it, it is handed over for
   * ever, and those of its order wait behind it. @default it is tried for ever
   */
  readonly giveUp?: GiveUp;
  /** Hears what goes wrong: a handler that failed, a connection lost. @default nobody */
  readonly onProblem?: (problem: SubscriptionProblem) => void;
}

export interface GiveUp {
  /**
   * So often it is tried until it is given up: failures in this process, and before them the times that a process
   * had it and never said how it ended, because its handler killed it. A process that was killed for another reason,
   * or cut off from its broker, looks the same, so leave room for that: 5 rather than 1. Over processes it counts
   * where the broker does or keeps a count for us: all but MQTT and RabbitMQ's classic queues. Of messages that were
   * in hand together nobody knows which one did it: they are handed over one at a time then, and one that may only
   * have lain in line is allowed one time more. (1 … 1_000)
   */
  readonly after: number;
  /**
   * Keeps it where somebody looks: a topic for dead messages, a table, a log. When it resolves the message is
   * acknowledged and those behind it come; when it rejects it is tried again. The error is what the handler threw, or
   * `NeverEndedError`, whose message says how often it was handed over. `outbox.dead.keep` is one: it makes a dead
   * letter with stack and history, to be listed, edited and replayed.
   */
  readonly to: (message: IncomingMessage, error: unknown, given: GivenUp) => Promise<void>;
}

/** What is known of a message that was given up, as a dead letter keeps it. */
export interface GivenUp {
  readonly group: string;
  /** Times it was handed over, as far as the broker counts. */
  readonly deliveries: number;
  /** Why, in one line; below it the stack of the last error. */
  readonly reason: string;
  /**
   * How its deliveries ended, the last 20 of them: each that failed in this process, with its number, moment and error;
   * and where the broker counts, those of others, which ended without a word. What failed in a process that is gone is
   * known to that one alone. This process keeps a million characters at most for all messages of a subscription.
   */
  readonly history: readonly HistoryEntry[];
}

export type SubscriptionProblem =
  | { readonly kind: 'handler-failed'; readonly id: string; readonly error: unknown }
  | { readonly kind: 'connection-lost'; readonly error: unknown }
  /** MQTT's session of a group has messages of another topic, to which nobody subscribes: they are in the way of the rest. */
  | { readonly kind: 'unclaimed'; readonly topic: string; readonly error: unknown };

export interface Subscription {
  /** Resolves when the handler's current message is finished and nothing more will come. */
  close(): Promise<void>;
}

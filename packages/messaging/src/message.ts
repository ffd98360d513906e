/** A message as its author writes it. */
export interface NewMessage {
  /**
   * Names the message for ever: accepting the same id again changes nothing. Take one from the
   * request where there is one, so that a client's retry is not a second event.
   *
   * @default a new UUID (version 7: ids sort by the time they were made)
   */
  readonly id?: string;
  /** Where the relay publishes it. 1 … 255 characters. */
  readonly topic: string;
  /** Messages of one topic and key arrive in the order they were accepted. @default no order promised */
  readonly key?: string;
  /** Text is kept as UTF-8. */
  readonly body: string | Uint8Array;
  /** Travel beside the body: Kafka headers, MQTT 5 user properties. */
  readonly headers?: Readonly<Record<string, string>>;
  /**
   * Waits until then before it enters the queue, where it stands behind what is there, as if it had
   * been accepted at that moment. Past moments mean now. @default now (up to 10 years ahead)
   */
  readonly dueAt?: Date;
  /** The same as a span: due this long after it was accepted. @default 0 ms (0 … 10 years) */
  readonly delayMs?: number;
  /**
   * 9 leaves before 8, and 0 last, among what is due. A flood of urgent messages keeps the others
   * waiting for as long as it lasts. Not together with `key`, which is about order. @default 0 (0 … 9)
   */
  readonly priority?: number;
  /**
   * Of no use any more this long after it was accepted, or was due: it then becomes a dead letter, when its
   * turn comes, instead of being handed over. What is in hand by then is finished. @default for ever (1 … 10 years)
   */
  readonly lifetimeMs?: number;
  /**
   * Takes the place of what waits under the same name, in one step with being accepted: of many that come one
   * after another one is handed over, the latest. What somebody has in hand goes on; give them a `key` as well where
   * this one is to wait for it. @default it replaces nothing, and nothing replaces it
   */
  readonly replaces?: Replaces;
}

/** Which messages one takes the place of, and when it is due in theirs. */
export interface Replaces {
  /** What they have in common, within their topic. 1 … 255 characters. */
  readonly name: string;
  /**
   * `anew`: as this message says, so that with a delay each one pushes it back (a debounce). `kept`: when the one
   * before it was to be (a throttle that hands over the latest). @default 'anew'
   */
  readonly due?: 'anew' | 'kept';
  /**
   * Pushed back no further than this after the first of them was accepted. @default no end: it waits for as long as
   * others come (1 … 10 years)
   */
  readonly maxWaitMs?: number;
}

/** What `accept` answers for each message, in the order given. */
export interface Receipt {
  readonly id: string;
  /** The id was known already; what is kept is the first message of that id. */
  readonly duplicate: boolean;
}

/** A message as stores keep it and brokers carry it. */
export interface Message {
  readonly id: string;
  readonly topic: string;
  readonly key: string | undefined;
  readonly body: Uint8Array;
  readonly headers: Readonly<Record<string, string>>;
}

/** A message on its way to a broker. */
export type OutgoingMessage = Message;

/** A message that came from a broker. */
export interface IncomingMessage extends Message {
  /**
   * 1 the first time it is handed over. Where the broker counts (JetStream, PostgreSQL, Redis Streams,
   * RabbitMQ's quorum queues) another process goes on counting, else it begins anew.
   */
  readonly delivery: number;
}

/** The body as text. Throws a `TypeError` where it is not UTF-8. */
export function textOf(message: Pick<Message, 'body'>): string {
  return decoder.decode(message.body);
}

const decoder = new TextDecoder('utf-8', { fatal: true });

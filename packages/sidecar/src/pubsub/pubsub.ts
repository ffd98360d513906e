/** A message as a broker carries it. */
export interface PubSubMessage {
  readonly data: Buffer;
  readonly metadata: Readonly<Record<string, string>>;
  /** The same whenever it is published again, where a broker can carry one. @default a new one each time */
  readonly id?: string;
  /** Of an entry of a bulk publication; brokers of other programs are told it, as by daprd. */
  readonly contentType?: string;
  /** By which a client names an entry of its bulk publication. */
  readonly entryId?: string;
  /** Where it was published, if that is not what was subscribed to: a topic with wildcards. */
  readonly topic?: string;
}

/**
 * Rejects where the message was not taken care of: a broker that keeps messages
 * hands it over again. `signal` aborts when the broker waits no longer.
 */
export type PubSubHandler = (message: PubSubMessage, signal?: AbortSignal) => Promise<void>;

/** A broker; `testing/pubsub-contract.ts` holds those that keep messages to their promises. */
export interface PubSub {
  /** As the metadata names them. */
  readonly capabilities: readonly string[];
  /** It keeps nothing: who subscribes later never sees what was published before. @default false */
  readonly forgetful?: boolean;
  /** What is said of a bulk as a whole becomes each message's, and wins over its own. @default false */
  readonly bulkIsEachs?: boolean;
  /** Resolves when the broker has the message; `signal` aborts when nobody waits for that any more. */
  publish(topic: string, message: PubSubMessage, signal?: AbortSignal): Promise<void>;
  /**
   * Publishes in one go, in order, and says of each message why the broker does
   * not have it: undefined where it does. Without it they go one by one
   * (`publishMany`). `bulk` is what a client says of its bulk publication as a whole, for brokers that
   * are told it; absent: they are messages each for itself.
   */
  publishAll?(
    topic: string,
    messages: readonly PubSubMessage[],
    signal?: AbortSignal,
    bulk?: Readonly<Record<string, string>>,
  ): Promise<Published>;
  /**
   * From now on; resolves with how to end it. `details` are the subscription's own metadata, for brokers that know them.
   * A handler that gathers events says how many (`gather`): a broker that hands over one after another has to have so
   * many with it. @default 1
   */
  subscribe(
    topic: string,
    handler: PubSubHandler,
    details?: Readonly<Record<string, string>>,
    gather?: number,
  ): Promise<TopicListener>;
  /** Called once, when the application has subscribed to all it wants. */
  subscribed?(): void;
  /**
   * The sidecar ends: who knows how to keeps for others what comes from now on. Nobody says when it
   * is over, so it is not for a broker that only changes.
   */
  pause?(): void;
  /** Hands over nothing more; resolves when the handlers at work have ended. */
  drain(): Promise<void>;
  /** Waits for nobody. */
  close(): Promise<void>;
}

/** One subscription. */
export interface TopicListener {
  /** Hands over nothing more; resolves when the handlers at work have ended. */
  close(): Promise<void>;
}

/** Of each message why the broker does not have it; undefined where it does. */
export type Published = readonly (Error | undefined)[];

/** The broker is well and will never take this message; trying again is of no use. */
export class MessageRefusedError extends Error {
  override readonly name = 'MessageRefusedError';
}

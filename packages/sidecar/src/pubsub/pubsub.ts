/** A message as a broker carries it. */
export interface PubSubMessage {
  readonly data: Buffer;
  readonly metadata: Readonly<Record<string, string>>;
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
  /** Resolves when the broker has the message. */
  publish(topic: string, message: PubSubMessage): Promise<void>;
  subscribe(topic: string, handler: PubSubHandler): Promise<void>;
  /** Hands over nothing more; resolves when the handlers at work have ended. */
  drain(): Promise<void>;
  /** Waits for nobody. */
  close(): Promise<void>;
}

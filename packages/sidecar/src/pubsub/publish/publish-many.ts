import type { Published, PubSub, PubSubMessage } from '../pubsub.ts';

/** Publishes in one go where the broker can, else one after the other; never rejects. */
export async function publishMany(
  broker: PubSub,
  topic: string,
  messages: readonly PubSubMessage[],
  signal?: AbortSignal,
  bulk?: Readonly<Record<string, string>>,
): Promise<Published> {
  if (messages.length === 0) return [];
  if (broker.publishAll !== undefined) {
    return await broker
      .publishAll(topic, messages, signal, bulk)
      .catch((error: Error) => messages.map(() => error));
  }
  const published: (Error | undefined)[] = [];
  for (const message of messages) {
    // Another attempt may have them by now.
    if (signal?.aborted) {
      published.push(signal.reason as Error);
      continue;
    }
    published.push(
      await broker.publish(topic, message, signal).then(
        () => undefined,
        (error: Error) => error,
      ),
    );
  }
  return published;
}

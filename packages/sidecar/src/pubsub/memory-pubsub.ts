import type { PubSub, PubSubHandler, PubSubMessage } from './pubsub.ts';

/**
 * `pubsub.in-memory`: for development and tests. Who subscribes in this process
 * gets what is published here from then on, once, in order; one whose handler
 * fails is not handed over again, as in Dapr: policies and dead letters are for that.
 */
export function memoryPubSub(failed: (topic: string, error: unknown) => void): PubSub {
  const handlers = new Map<string, PubSubHandler[]>();
  const working = new Set<Promise<void>>();
  let closed = false;

  const hand = (topic: string, handler: PubSubHandler, message: PubSubMessage) => {
    const work = handler(message)
      .catch((error: unknown) => failed(topic, error))
      .finally(() => working.delete(work));
    working.add(work);
  };
  return {
    capabilities: [],
    forgetful: true,
    async publish(topic, message) {
      if (closed) throw new Error('the component is closed');
      for (const handler of handlers.get(topic) ?? []) hand(topic, handler, message);
    },
    async subscribe(topic, handler) {
      handlers.set(topic, [...(handlers.get(topic) ?? []), handler]);
    },
    async drain() {
      handlers.clear();
      await Promise.allSettled(working);
    },
    async close() {
      closed = true;
      handlers.clear();
    },
  };
}

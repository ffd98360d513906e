import type { PubSub, PubSubHandler } from './pubsub.ts';

/**
 * A broker whose topics are those of one namespace, as Dapr has it where
 * `{namespace}` is in a component's metadata: the name of the namespace stands
 * before theirs, and nobody but the broker sees it.
 */
export function namespacedPubSub(broker: PubSub, namespace: string): PubSub {
  const full = (topic: string): string => `${namespace}${topic}`;
  return {
    capabilities: broker.capabilities,
    forgetful: broker.forgetful ?? false,
    bulkIsEachs: broker.bulkIsEachs ?? false,
    publish: (topic, message, signal) => broker.publish(full(topic), message, signal),
    ...(broker.publishAll && {
      publishAll: (topic, messages, signal, bulk) =>
        broker.publishAll!(full(topic), messages, signal, bulk),
    }),
    subscribe(topic, handler, details, gather) {
      const bare: PubSubHandler = (message, signal) => {
        const { topic: came } = message;
        const named = came === undefined ? {} : { topic: came.replace(namespace, () => '') };
        return handler({ ...message, ...named }, signal);
      };
      return broker.subscribe(full(topic), bare, details, gather);
    },
    subscribed: () => broker.subscribed?.(),
    pause: () => broker.pause?.(),
    drain: () => broker.drain(),
    close: () => broker.close(),
  };
}

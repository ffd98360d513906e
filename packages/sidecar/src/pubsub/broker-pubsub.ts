import { randomUUID } from 'node:crypto';
import {
  type Broker,
  BrokerRejectedError,
  type SubscribeOptions,
  type Subscription,
} from '@holdfast/messaging';
import type { Logger } from '@holdfast/telemetry/log';
import type { PubSub } from './pubsub.ts';

export interface BrokerPubSubOptions {
  /** As the log names it. */
  readonly component: string;
  /** Members of one share the events. */
  readonly group: string;
  /** Events in the application at a time. */
  readonly concurrency: number;
  /** Waits before an event is handed over again. @default those of `@holdfast/messaging` */
  readonly redeliver?: Pick<SubscribeOptions, 'redeliverMs' | 'maxRedeliverMs'>;
  /** As the metadata names them. @default none */
  readonly capabilities?: readonly string[];
  readonly log: Logger;
}

/**
 * A broker of `@holdfast/messaging` behind Dapr's API. An event whose delivery
 * fails is handed over again, after growing waits, until it is taken.
 */
export function brokerPubSub(
  broker: Broker,
  { capabilities = [], component, concurrency, group, log, redeliver }: BrokerPubSubOptions,
): PubSub {
  const subscriptions: Subscription[] = [];
  return {
    capabilities,
    async publish(topic, { data, metadata }) {
      const { partitionKey: key } = metadata;
      const message = { id: randomUUID(), topic, key, body: data, headers: metadata };
      await broker.publish([message]).catch((error: unknown) => {
        // Its message speaks of many; here is one, and only the reason is news.
        const reason = error instanceof BrokerRejectedError && error.rejected.get(message.id);
        throw reason ? new Error(reason, { cause: error }) : error;
      });
    },
    async subscribe(topic, handler) {
      const subscription = await broker.subscribe(
        topic,
        {
          group,
          concurrency,
          ...redeliver,
          onProblem({ error, kind }) {
            const why = (error as Error).message;
            // A delivery that failed has its line already; a connection has none.
            if (kind === 'connection-lost') log.warn(`${component} lost ${topic}: ${why}`);
          },
        },
        ({ body, headers, topic: came }) =>
          handler({
            data: Buffer.from(body.buffer, body.byteOffset, body.byteLength),
            metadata: headers,
            ...(came === topic ? {} : { topic: came }),
          }),
      );
      subscriptions.push(subscription);
    },
    async drain() {
      await Promise.all(subscriptions.map((one) => one.close()));
    },
    async close() {
      // Not waited for: a handler may be at work for as long as it likes.
      void broker.close().catch(() => {});
    },
  };
}

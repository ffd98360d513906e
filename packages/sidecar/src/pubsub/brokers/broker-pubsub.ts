import { randomUUID } from 'node:crypto';
import {
  type Broker,
  BrokerRejectedError,
  type OutgoingMessage,
  type SubscribeOptions,
  type Subscription,
} from '@holdfast/messaging';
import type { Logger } from '@holdfast/telemetry/log';
import { MessageRefusedError, type PubSub, type PubSubMessage } from '../pubsub.ts';

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
  const subscriptions = new Set<Subscription>();
  return {
    capabilities,
    async publish(topic, message) {
      const one = outgoing(topic, message);
      await broker.publish([one]).catch((error: unknown) => {
        // Its message speaks of many; here is one, and only the reason is news.
        const reason = error instanceof BrokerRejectedError && error.rejected.get(one.id);
        throw reason ? new Error(reason, { cause: error }) : error;
      });
    },
    async publishAll(topic, messages) {
      const all = messages.map((message) => outgoing(topic, message));
      try {
        await broker.publish(all);
        return all.map(() => undefined);
      } catch (error) {
        return all.map(({ id }) => failureOf(id, error as Error));
      }
    },
    async subscribe(topic, handler, details) {
      const subscription = await broker.subscribe(
        topic,
        {
          group,
          concurrency,
          ...redeliver,
          ...(details === undefined ? {} : { details }),
          onProblem({ error, kind }) {
            const why = (error as Error).message;
            // A delivery that failed has its line already; the others have none.
            if (kind === 'connection-lost') log.warn(`${component} lost ${topic}: ${why}`);
            if (kind === 'unclaimed') log.warn(`${component}: ${why}`);
          },
        },
        ({ body, headers, topic: came }) =>
          handler({
            data: Buffer.from(body.buffer, body.byteOffset, body.byteLength),
            metadata: headers,
            ...(came === topic ? {} : { topic: came }),
          }),
      );
      subscriptions.add(subscription);
      return {
        async close() {
          subscriptions.delete(subscription);
          await subscription.close();
        },
      };
    },
    async drain() {
      await Promise.all([...subscriptions].map((one) => one.close()));
    },
    async close() {
      // Not waited for: a handler may be at work for as long as it likes.
      void broker.close().catch(() => {});
    },
  };
}

function outgoing(topic: string, { data, id, metadata }: PubSubMessage): OutgoingMessage {
  const { partitionKey: key } = metadata;
  return { id: id ?? randomUUID(), topic, key, body: data, headers: metadata };
}

/** What became of one message of a call that failed; undefined where the broker took it. */
function failureOf(id: string, error: Error): Error | undefined {
  if (!(error instanceof BrokerRejectedError)) return error;
  if (error.taken.has(id)) return undefined;
  const refused = error.rejected.get(id);
  if (refused !== undefined) return new MessageRefusedError(refused);
  return new Error(error.postponed.get(id) ?? error.message);
}

import { randomUUID } from 'node:crypto';
import type { Clock } from '@holdfast/core';
import {
  type Broker,
  BrokerRejectedError,
  type OutgoingMessage,
  type SubscribeOptions,
  type Subscription,
  type SubscriptionProblem,
} from '@holdfast/messaging';
import type { Logger } from '@holdfast/telemetry/log';
import { MessageRefusedError, type PubSub, type PubSubMessage } from '../pubsub.ts';
import { whenReached } from './when-reached.ts';

export interface BrokerPubSubOptions {
  /** As the log names it. */
  readonly component: string;
  /** Members of one share the events. */
  readonly group: string;
  /** Events in the application at a time. */
  readonly concurrency: number;
  /** Waits before an event is handed over again. @default those of `@holdfast/messaging` */
  readonly redeliver?: Pick<SubscribeOptions, 'redeliverMs' | 'maxRedeliverMs'>;
  /** Deliveries of an event that fails, after which it is gone. @default it comes until it is taken */
  readonly giveUpAfter?: number;
  /** As the metadata names them. @default none */
  readonly capabilities?: readonly string[];
  /** What a subscription's metadata are to the broker's adapter. @default as they are */
  readonly detailsOf?: (metadata: Metadata) => Metadata;
  /** Something before it keeps what it cannot be given, and comes back by itself: nobody waits here. @default false */
  readonly mayBeAway?: boolean | undefined;
  readonly clock: Clock;
  readonly log: Logger;
}

type Metadata = Readonly<Record<string, string>>;

/**
 * A broker of `@holdfast/messaging` behind Dapr's API. An event whose delivery
 * fails is handed over again, after growing waits, until it is taken.
 */
export function brokerPubSub(
  broker: Broker,
  {
    capabilities = [],
    clock,
    component,
    concurrency,
    detailsOf = (metadata) => metadata,
    giveUpAfter,
    group,
    log,
    mayBeAway = false,
    redeliver,
  }: BrokerPubSubOptions,
): PubSub {
  const subscriptions = new Set<Subscription>();
  let ending = false;
  const giveUp = (topic: string, leaving: () => boolean) => ({
    after: giveUpAfter!,
    async to(_message: unknown, error: unknown) {
      // That we leave is no fault of the event's: another of the group has it then, or we, later.
      if (leaving()) throw error;
      const why = (error as Error).message;
      log.error(
        `${component} gives up an event of ${topic}, delivered ${giveUpAfter} times: ${why}`,
      );
    },
  });
  const closing = new AbortController();
  const publish = (messages: readonly OutgoingMessage[], signal: AbortSignal | undefined) =>
    whenReached(() => broker.publish(messages), {
      ...{ clock, closing: closing.signal, mayBeAway, signal },
    });
  return {
    capabilities,
    async publish(topic, message, signal) {
      const one = outgoing(topic, message);
      await publish([one], signal).catch((error: unknown) => {
        // Its message speaks of many; here is one, and only the reason is news.
        const reason = error instanceof BrokerRejectedError && error.rejected.get(one.id);
        throw reason ? new Error(reason, { cause: error }) : error;
      });
    },
    async publishAll(topic, messages, signal) {
      const all = messages.map((message) => outgoing(topic, message));
      try {
        await publish(all, signal);
        return all.map(() => undefined);
      } catch (error) {
        return all.map(({ id }) => failureOf(id, error as Error));
      }
    },
    async subscribe(topic, handler, details = {}, gather = 1) {
      let left = false;
      const leaving = () => left || ending;
      const lines = subscriptionLines(component, topic, log);
      const subscription = await broker.subscribe(
        topic,
        {
          group,
          concurrency,
          gather,
          ...redeliver,
          ...(giveUpAfter === undefined ? {} : { giveUp: giveUp(topic, leaving) }),
          details: detailsOf(details),
          onProblem: lines.problem,
        },
        ({ body, headers, topic: came }) => {
          lines.came();
          return handler({
            data: Buffer.from(body.buffer, body.byteOffset, body.byteLength),
            metadata: headers,
            ...(came === topic ? {} : { topic: came }),
          });
        },
      );
      subscriptions.add(subscription);
      return {
        async close() {
          left = true;
          // Known until it has ended: what it has in hand is waited for by `drain` too.
          await subscription.close().finally(() => subscriptions.delete(subscription));
        },
      };
    },
    async drain() {
      ending = true;
      await Promise.all([...subscriptions].map((one) => one.close()));
    },
    async close() {
      ending = true;
      closing.abort(new Error(`${component} is being closed`));
      // Not waited for: a handler may be at work for as long as it likes.
      void broker.close().catch(() => {});
    },
  };
}

/** What the log is told of one subscription: of an outage each reason once, and its end. */
function subscriptionLines(component: string, topic: string, log: Logger) {
  /** What was last said of its connection; undefined since events have come again. */
  let lost: string | undefined;
  return {
    problem({ error, kind }: SubscriptionProblem): void {
      const why = (error as Error).message;
      // A delivery that failed has its line already; the others have none.
      if (kind === 'unclaimed') log.warn(`${component}: ${why}`);
      // An outage is tried to be ended every second, for the same reason each time.
      if (kind !== 'connection-lost' || why === lost) return;
      lost = why;
      log.warn(`${component} lost ${topic}: ${why}`);
    },
    came(): void {
      if (lost !== undefined) log.info(`${component} has events of ${topic} again.`);
      lost = undefined;
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

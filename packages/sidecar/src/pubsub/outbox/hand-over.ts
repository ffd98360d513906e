import type { Clock } from '@holdfast/core';
import { type Broker, BrokerRejectedError, type OutgoingMessage } from '@holdfast/messaging';
import { publishMany } from '../publish/publish-many.ts';
import { MessageRefusedError, type PubSub, type PubSubMessage } from '../pubsub.ts';
import { keptEvent } from './kept-event.ts';

/** Runs `work` behind policies, ended when the outbox is closed. */
export type BehindPolicies = <T>(work: () => Promise<T>) => Promise<T>;

/**
 * A component's broker as the relay of an outbox wants one. What the broker will
 * never take is refused, what failed beside others that were taken is sent again
 * alone, and anything else is an outage.
 */
export function handOver(broker: PubSub, behind: BehindPolicies, clock: Clock): Broker {
  return {
    async publish(messages) {
      // A refusal is an answer: nothing is gained by asking again, and nothing is held against it.
      const refusal = await behind(() => send(broker, messages, clock.wallMs()));
      if (refusal !== undefined) throw refusal;
    },
    subscribe() {
      throw new Error('unreachable: a relay does not subscribe');
    },
    async close() {},
  };
}

async function send(
  broker: PubSub,
  messages: readonly OutgoingMessage[],
  nowWallMs: number,
): Promise<BrokerRejectedError | undefined> {
  const rejected = new Map<string, string>();
  const postponed = new Map<string, string>();
  const taken = new Set<string>();
  let failure: Error | undefined;
  for (const [topic, batch] of byTopic(messages)) {
    const events = batch.map((one) => ({ id: one.id, event: keptEvent(one, nowWallMs) }));
    const due = events.filter((one): one is Due => one.event !== undefined);
    // What has expired is done with, as it would be at the broker.
    for (const { event, id } of events) if (event === undefined) taken.add(id);
    const published = await publishMany(
      broker,
      topic,
      due.map(({ event }) => event),
    );
    for (const [index, error] of published.entries()) {
      const { id } = due[index]!;
      if (error === undefined) taken.add(id);
      else if (error instanceof MessageRefusedError) rejected.set(id, error.message);
      else {
        failure = error;
        postponed.set(id, error.message);
      }
    }
  }
  if (taken.size === messages.length) return undefined;
  if (taken.size === 0 && rejected.size === 0 && failure !== undefined) throw failure;
  return new BrokerRejectedError({ rejected, postponed, taken });
}

interface Due {
  readonly id: string;
  readonly event: PubSubMessage;
}

/** In the order of each topic's first message; within a topic in the order given. */
function byTopic(messages: readonly OutgoingMessage[]): Map<string, OutgoingMessage[]> {
  const topics = new Map<string, OutgoingMessage[]>();
  for (const message of messages) {
    const batch = topics.get(message.topic);
    if (batch === undefined) topics.set(message.topic, [message]);
    else batch.push(message);
  }
  return topics;
}

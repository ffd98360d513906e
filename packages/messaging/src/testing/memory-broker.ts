import { type Clock, systemClock } from '@holdfast/core';
import type { Broker, Subscription } from '../broker.ts';
import { givingUp, type Handling } from '../consume/giving-up.ts';
import { Hands } from '../consume/hands.ts';
import {
  type ResolvedSubscribeOptions,
  resolveSubscribeOptions,
} from '../consume/subscribe-options.ts';
import { BrokerRejectedError, BrokerUnavailableError } from '../errors.ts';
import type { Message, OutgoingMessage } from '../message.ts';

/** A broker in memory, for tests of what stands before and behind it. */
export interface MemoryBroker extends Broker {
  /** Everything acknowledged, duplicates included, in order. */
  readonly published: readonly OutgoingMessage[];
  /** Calls of `publish`, refused ones included. */
  readonly attempts: number;
  /** `down`: publishing fails. `silent`: takes the messages and never acknowledges. */
  become(state: 'up' | 'down' | 'silent'): void;
  /** Why a message is refused for good; undefined takes it. */
  refuseIf(rule: (message: OutgoingMessage) => string | undefined): void;
  /** Fails as an outage does whenever a batch holds such a message. */
  chokeOn(rule: (message: OutgoingMessage) => boolean): void;
}

/** What its members have in common. */
interface Group {
  /** Messages that nobody has been given. */
  readonly queue: Message[];
  inHand: number;
  readonly members: Set<() => void>;
}

export function memoryBroker({
  clock = systemClock,
}: {
  readonly clock?: Clock;
} = {}): MemoryBroker {
  const published: OutgoingMessage[] = [];
  const groups = new Map<string, Map<string, Group>>();
  const subscriptions = new Set<Subscription>();
  let attempts = 0;
  let state: 'up' | 'down' | 'silent' = 'up';
  let refusal: (message: OutgoingMessage) => string | undefined = () => undefined;
  let choke: (message: OutgoingMessage) => boolean = () => false;

  const groupOf = (topic: string, name: string): Group => {
    const ofTopic = groups.get(topic) ?? new Map<string, Group>();
    groups.set(topic, ofTopic);
    const group = ofTopic.get(name) ?? { queue: [], inHand: 0, members: new Set() };
    ofTopic.set(name, group);
    return group;
  };

  return {
    published,
    get attempts() {
      return attempts;
    },
    become: (next) => {
      state = next;
    },
    refuseIf: (rule) => {
      refusal = rule;
    },
    chokeOn: (rule) => {
      choke = rule;
    },

    async publish(messages) {
      attempts += 1;
      if (state === 'down' || messages.some(choke)) {
        throw new BrokerUnavailableError('The broker in memory is down.');
      }
      const reasons = messages.map((message) => [message.id, refusal(message)] as const);
      const rejected = reasons.filter((each): each is [string, string] => each[1] !== undefined);
      if (rejected.length > 0) throw new BrokerRejectedError({ rejected: new Map(rejected) });
      published.push(...messages);
      for (const message of messages) {
        for (const group of groups.get(message.topic)?.values() ?? []) {
          group.queue.push(message);
          everybodyLooks(group);
        }
      }
      if (state === 'silent') await new Promise<never>(() => {});
    },

    async subscribe(topic, given, handler) {
      const options = resolveSubscribeOptions(given);
      const subscription = consume(
        groupOf(topic, options.group),
        givingUp(handler, options),
        options,
        clock,
      );
      subscriptions.add(subscription);
      return subscription;
    },

    async close() {
      await Promise.all([...subscriptions].map((subscription) => subscription.close()));
    },
  };
}

/** Hands over what is in the queue; with a concurrency of 1 only while no member has anything in hand. */
function consume(
  group: Group,
  handler: Handling,
  options: ResolvedSubscribeOptions,
  clock: Clock,
): Subscription {
  const hands = new Hands(handler, options, clock);
  const inHand = new Set<{ readonly message: Message }>();
  const most = options.concurrency === 1 ? 1 : Infinity;

  const look = () => {
    while (group.queue.length > 0 && group.inHand < most) {
      const one = { message: group.queue.shift()! };
      inHand.add(one);
      group.inHand += 1;
      hands.give(one.message, () => {
        inHand.delete(one);
        group.inHand -= 1;
        everybodyLooks(group);
      });
    }
  };
  group.members.add(look);
  look();
  return {
    async close() {
      group.members.delete(look);
      await hands.end();
      group.inHand -= inHand.size;
      group.queue.unshift(...[...inHand].map(({ message }) => message));
      inHand.clear();
      everybodyLooks(group);
    },
  };
}

function everybodyLooks({ members }: Group): void {
  for (const look of members) look();
}

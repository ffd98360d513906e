import type { PubSub, PubSubHandler, PubSubMessage } from '../pubsub.ts';

/** One who has subscribed, and what is in its hand. */
interface Member {
  readonly handler: PubSubHandler;
  /** Ends when it has taken all that it was handed so far. */
  last: Promise<void>;
  /** Events that it was handed and has not taken. */
  waiting: number;
}

/** Events that may wait for one subscription before who publishes more waits too; in daprd one. */
const MAX_WAITING = 1_000;

/**
 * `pubsub.in-memory`: for development and tests. Who subscribes in this process
 * gets what is published here from then on, once, one after the other, and
 * `orders/*` is all that begins so; one whose handler fails is not handed over
 * again, as in Dapr: policies and dead letters are for that.
 */
export function memoryPubSub(failed: (topic: string, error: unknown) => void): PubSub {
  const handlers = new Map<string, Set<Member>>();
  const working = new Set<Promise<void>>();
  let closed = false;

  const hand = (topic: string, member: Member, message: PubSubMessage): Promise<void> => {
    member.waiting += 1;
    const work = member.last
      .then(() => member.handler(message))
      .catch((error: unknown) => failed(topic, error))
      .finally(() => {
        member.waiting -= 1;
        working.delete(work);
      });
    working.add(work);
    member.last = work;
    return work;
  };
  return {
    capabilities: ['SUBSCRIBE_WILDCARDS'],
    forgetful: true,
    async publish(topic, message) {
      if (closed) throw new Error('the component is closed');
      const ahead: Promise<void>[] = [];
      for (const [wanted, members] of handlers) {
        if (!covers(wanted, topic)) continue;
        for (const member of members) {
          const work = hand(topic, member, message);
          if (member.waiting > MAX_WAITING) ahead.push(work);
        }
      }
      // Nothing else would keep a publisher that is faster from filling the memory.
      await Promise.all(ahead);
    },
    async subscribe(topic, handler) {
      const member: Member = { handler, last: Promise.resolve(), waiting: 0 };
      const members = handlers.get(topic) ?? new Set();
      handlers.set(topic, members.add(member));
      return {
        async close() {
          members.delete(member);
          if (members.size === 0 && handlers.get(topic) === members) handlers.delete(topic);
          await member.last;
        },
      };
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

/** As Dapr's: a star at the end stands for one character or more. */
function covers(wanted: string, topic: string): boolean {
  if (wanted === topic) return true;
  const start = wanted.slice(0, -1);
  return wanted.endsWith('*') && topic.startsWith(start) && topic !== start;
}

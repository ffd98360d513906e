import type { Clock } from '@holdfast/core';
import type { Logger } from '@holdfast/telemetry/log';
import { publishMany } from './publish/publish-many.ts';
import type { PubSub, PubSubHandler, TopicListener } from './pubsub.ts';

export interface LatePubSubEnv {
  readonly component: string;
  readonly clock: Clock;
  readonly log: Logger;
}

/** A subscription that is made when the broker is there. */
interface Waiting {
  readonly topic: string;
  readonly handler: PubSubHandler;
  readonly details: Readonly<Record<string, string>> | undefined;
  readonly gather: number | undefined;
  listener?: TopicListener;
}

const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 5_000;

/**
 * A broker that could not be reached when the sidecar started, opened as soon as
 * it can be: until then nothing is published, and subscriptions wait in here.
 */
export function latePubSub(
  open: () => Promise<PubSub>,
  first: Error,
  { clock, component, log }: LatePubSubEnv,
): PubSub {
  const closing = new AbortController();
  const waiting = new Set<Waiting>();
  let broker: PubSub | undefined;
  let why = first;
  log.warn(`The broker of ${component} cannot be reached yet: ${why.message}`);

  const subscribe = async (to: PubSub, one: Waiting) => {
    try {
      one.listener = await to.subscribe(one.topic, one.handler, one.details, one.gather);
      // Ended meanwhile.
      if (!waiting.delete(one)) await one.listener.close();
    } catch (error) {
      const why = (error as Error).message;
      log.error(`Nobody subscribes to ${one.topic} in ${component}: ${why}`);
    }
  };
  const opening = (async () => {
    let pauseMs = FIRST_PAUSE_MS;
    while (broker === undefined) {
      await clock.sleep(pauseMs, closing.signal);
      pauseMs = Math.min(LONGEST_PAUSE_MS, pauseMs * 2);
      broker = await open().catch((error: Error) => {
        why = error;
        return undefined;
      });
    }
    log.info(`The broker of ${component} is reached.`);
    if (closing.signal.aborted) return;
    for (const one of waiting) await subscribe(broker, one);
  })();
  // It rejects when it is closed, which ends it.
  opening.catch(() => {});

  const reached = (): PubSub => {
    if (broker === undefined) throw why;
    return broker;
  };
  return {
    capabilities: [],
    // It may be one of those, and what it is told too much hurts nobody.
    bulkIsEachs: true,
    publish: async (topic, message) => await reached().publish(topic, message),
    publishAll: async (topic, messages, signal, bulk) =>
      await publishMany(reached(), topic, messages, signal, bulk),
    async subscribe(topic, handler, details, gather) {
      if (broker !== undefined) return await broker.subscribe(topic, handler, details, gather);
      const one: Waiting = { topic, handler, details, gather };
      waiting.add(one);
      return {
        async close() {
          waiting.delete(one);
          await one.listener?.close();
        },
      };
    },
    pause: () => broker?.pause?.(),
    async drain() {
      waiting.clear();
      await broker?.drain();
    },
    async close() {
      closing.abort(new Error('The component is closed.'));
      if (broker !== undefined) return await broker.close();
      // It may be on its way in, and nobody is left to tell how it ends.
      void opening.then(() => broker?.close()).catch(() => {});
    },
  };
}

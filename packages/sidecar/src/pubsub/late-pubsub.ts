import type { Clock } from '@holdfast/core';
import type { Logger } from '@holdfast/telemetry/log';
import { publishMany } from './publish-many.ts';
import type { PubSub, PubSubHandler } from './pubsub.ts';

export interface LatePubSubEnv {
  readonly component: string;
  readonly clock: Clock;
  readonly log: Logger;
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
  const waiting: { readonly topic: string; readonly handler: PubSubHandler }[] = [];
  let broker: PubSub | undefined;
  let why = first;
  log.warn(`The broker of ${component} cannot be reached yet: ${why.message}`);

  const subscribe = async (to: PubSub, topic: string, handler: PubSubHandler) => {
    await to.subscribe(topic, handler).catch((error: Error) => {
      log.error(`Nobody subscribes to ${topic} in ${component}: ${error.message}`);
    });
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
    for (const { handler, topic } of waiting.splice(0)) await subscribe(broker, topic, handler);
  })();
  // It rejects when it is closed, which ends it.
  opening.catch(() => {});

  const reached = (): PubSub => {
    if (broker === undefined) throw why;
    return broker;
  };
  return {
    capabilities: [],
    publish: async (topic, message) => await reached().publish(topic, message),
    publishAll: async (topic, messages) => await publishMany(reached(), topic, messages),
    async subscribe(topic, handler) {
      if (broker === undefined) waiting.push({ topic, handler });
      else await broker.subscribe(topic, handler);
    },
    async drain() {
      waiting.length = 0;
      await broker?.drain();
    },
    async close() {
      closing.abort(new Error('The component is closed.'));
      await broker?.close();
      // It may have been on its way in.
      void opening.then(
        () => broker?.close(),
        () => {},
      );
    },
  };
}

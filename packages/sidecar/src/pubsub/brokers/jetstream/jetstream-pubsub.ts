import { randomUUID } from 'node:crypto';
import type { Clock } from '@holdfast/core';
import { jetstreamBroker } from '@holdfast/messaging/jetstream';
import type { Logger } from '@holdfast/telemetry/log';
import type { ComponentSettings } from '../../../components/component-settings.ts';
import type { PubSub } from '../../pubsub.ts';
import { whenReached } from '../when-reached.ts';
import { connectToJetStream, jetstreamOptions, reachJetStream } from './jetstream-connection.ts';
import { JetStreamConsumer } from './jetstream-consumer.ts';
import { carried, isHeaderValue } from './jetstream-metadata.ts';
import { jetstreamSettings } from './jetstream-settings.ts';

export interface JetStreamPubSubEnv {
  readonly clock: Clock;
  readonly log: Logger;
  readonly mayBeAway?: boolean;
}

/**
 * `pubsub.jetstream`: a topic is a subject of a stream that somebody has made, a subscription a
 * consumer that pushes, made as Dapr makes it. Published is what the stream has acknowledged; an
 * event sent twice within the stream's window is known by its CloudEvents id.
 *
 * @throws Error for a NATS that does not answer, or metadata that cannot be.
 */
export async function jetstreamPubSub(
  settings: ComponentSettings,
  { clock, log, mayBeAway = false }: JetStreamPubSubEnv,
): Promise<PubSub> {
  const own = jetstreamSettings(settings);
  const options = jetstreamOptions(own, clock);
  await reachJetStream(own, options);
  const broker = jetstreamBroker(options);
  const consumers = new Set<JetStreamConsumer>();
  const ending = new AbortController();
  const closing = ending.signal;
  return {
    capabilities: [],
    async publish(topic, { data, id, metadata }, signal) {
      const message = { id: id ?? idOf(data), topic, key: undefined, body: data };
      await whenReached(() => broker.publish([{ ...message, headers: carried(metadata) }]), {
        ...{ clock, closing, mayBeAway, signal },
      });
    },
    async subscribe(topic, handler, _details, gather = 1) {
      const consumer = new JetStreamConsumer({
        ...{ topic, handler, gathers: gather > 1, settings: own, clock, log },
        connect: () => connectToJetStream(own, options, topic),
      });
      consumers.add(consumer);
      await consumer.start();
      return {
        async close() {
          // Known until it has ended: what it has in hand is waited for by `drain` too.
          await consumer.drain().finally(() => consumers.delete(consumer));
        },
      };
    },
    async drain() {
      await Promise.all([...consumers].map((consumer) => consumer.drain()));
    },
    async close() {
      ending.abort(new Error(`${own.component} is being closed`));
      for (const consumer of consumers) consumer.stop();
      // Not waited for: NATS may be away.
      void broker.close().catch(() => {});
    },
  };
}

/** By which the stream knows it again: as in Dapr the event's own, where it is one. */
function idOf(data: Buffer): string {
  try {
    const { id } = JSON.parse(data.toString('utf8')) as { id?: unknown };
    if (typeof id === 'string' && id !== '' && isHeaderValue(id)) return id;
  } catch {
    // Raw payloads have none.
  }
  return randomUUID();
}

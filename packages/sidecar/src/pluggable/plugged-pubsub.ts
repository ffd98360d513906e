import { Code } from '@connectrpc/connect';
import type { ComponentSettings } from '../components/component-settings.ts';
import type { ComponentsEnv } from '../components/open-components.ts';
import type { PubSub, PubSubHandler } from '../pubsub/pubsub.ts';
import { asked } from './asked.ts';
import { KeptStream } from './kept-stream.ts';
import { PluggedError } from './plugged-error.ts';
import { type PullMessagesResponse, PubSub as Service } from './protos/components_pb.ts';
import { initOf, socketClient } from './socket-client.ts';

/** A broker of another program's; messages of a topic come one after the other, as in Dapr. */
export async function pluggedPubSub(
  socketPath: string,
  settings: ComponentSettings,
  { clock, log }: Pick<ComponentsEnv, 'clock' | 'log'>,
): Promise<PubSub> {
  const { component: pubsubName } = settings;
  const connection = socketClient(socketPath, pubsubName);
  const client = connection.of(Service);
  await asked(client.init(initOf(settings)));
  const { features } = await asked(client.features({}));
  const streams = new Set<KeptStream<object, PullMessagesResponse>>();

  const pull = (
    topic: string,
    handler: PubSubHandler,
    metadata: Readonly<Record<string, string>>,
  ) =>
    new KeptStream<object, PullMessagesResponse>({
      what: `Topic ${topic} of ${pubsubName}`,
      open: (requests, options) => client.pullMessages(requests, options),
      first: { topic: { name: topic, metadata: { ...metadata } } },
      async take({ data, id: ackMessageId, metadata, topicName }) {
        try {
          await handler({ data: Buffer.from(data), metadata, topic: topicName });
          return { ackMessageId };
        } catch (error) {
          return { ackMessageId, ackError: { message: (error as Error).message } };
        }
      },
      atOnce: false,
      clock,
      log,
    });

  let paused = false;

  return {
    capabilities: features,
    async publish(topic, { data, metadata }) {
      await asked(client.publish({ pubsubName, topic, data, metadata: { ...metadata } }));
    },
    async publishAll(topic, messages) {
      const entries = messages.map(({ data, metadata }, at) => ({
        entryId: String(at),
        event: data,
        metadata: { ...metadata },
      }));
      const { failedEntries } = await asked(client.bulkPublish({ pubsubName, topic, entries }));
      const failed = new Map(failedEntries.map(({ entryId, error }) => [entryId, error]));
      return entries.map(({ entryId }) => {
        const error = failed.get(entryId);
        return error === undefined ? undefined : new Error(error);
      });
    },
    async subscribe(topic, handler, details = {}) {
      const stream = pull(topic, handler, details);
      streams.add(stream);
      return {
        async close() {
          await stream.rest();
          stream.end();
          streams.delete(stream);
        },
      };
    },
    pause() {
      if (paused) return;
      paused = true;
      void asked(client.pause({})).catch((error: unknown) => {
        if (error instanceof PluggedError && error.code === Code.Unimplemented) return;
        log.warn(`${pubsubName} cannot be paused: ${(error as Error).message}`);
      });
    },
    async drain() {
      await Promise.all([...streams].map((stream) => stream.rest()));
    },
    async close() {
      for (const stream of streams) stream.end();
      connection.close();
    },
  };
}

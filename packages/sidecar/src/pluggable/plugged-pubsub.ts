import { type Client, Code } from '@connectrpc/connect';
import type { Logger } from '@holdfast/telemetry/log';
import type { ComponentSettings } from '../components/component-settings.ts';
import type { ComponentsEnv } from '../components/open-components.ts';
import type { PubSub, PubSubHandler } from '../pubsub/pubsub.ts';
import { asked } from './asked.ts';
import { featuresOf } from './features-of.ts';
import { KeptStream } from './kept-stream.ts';
import { PluggedError } from './plugged-error.ts';
import { type PullMessagesResponse, PubSub as Service } from './protos/components_pb.ts';
import { socketClient, waitedFor } from './socket-client.ts';

/** A component that does not answer to `Pause` must not keep the sidecar from ending; as in daprd. */
const LONGEST_PAUSING_MS = 5_000;

/**
 * What comes to a component over one connection comes in order: one that answers to a `Ping` behind a subscription has the
 * subscription. It may have no answer to `Ping`, which says as much, and one that hangs keeps nobody from starting.
 */
const LONGEST_GREETING_MS = 1_000;

/** The feature of a component whose `BulkPublish` is called; others get the entries one by one. */
const IN_BULK = 'BULK_PUBSUB';

/** A broker of another program's; messages of a topic are in the application as many at once as it hands over. */
export async function pluggedPubSub(
  socketPath: string,
  settings: ComponentSettings,
  { clock, log }: Pick<ComponentsEnv, 'clock' | 'log'>,
): Promise<PubSub> {
  const { component: pubsubName } = settings;
  const connection = socketClient(socketPath, pubsubName);
  const client = connection.of(Service);
  const features = await featuresOf(connection, client, settings);
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
      clock,
      log,
    });

  let paused: Promise<boolean> | undefined;
  const rest = async (stream: KeptStream<object, PullMessagesResponse>) => {
    // What it has already sent is ours still; one that is not paused goes on sending.
    if (paused !== undefined && (await paused)) await stream.quiet();
    await stream.rest();
  };

  return {
    capabilities: features,
    async publish(topic, { data, metadata }, signal) {
      const request = { pubsubName, topic, data, metadata: { ...metadata } };
      await asked(client.publish(request, waitedFor(signal)));
    },
    ...(features.includes(IN_BULK) && {
      publishAll: bulkPublisher(client, pubsubName),
    }),
    async subscribe(topic, handler, details = {}) {
      const stream = pull(topic, handler, details);
      streams.add(stream);
      // A component that has nowhere to keep events would lose those that overtake the subscription.
      await stream.introduced();
      await client.ping({}, { timeoutMs: LONGEST_GREETING_MS }).catch(() => {});
      return {
        async close() {
          await rest(stream);
          stream.end();
          streams.delete(stream);
        },
      };
    },
    pause() {
      paused ??= pausedNow(client, pubsubName, log);
    },
    async drain() {
      await Promise.all([...streams].map(rest));
    },
    async close() {
      for (const stream of streams) stream.end();
      connection.close();
    },
  };
}

/** Publishes entries in one go, by the names that their client gave them. */
function bulkPublisher(
  client: Client<typeof Service>,
  pubsubName: string,
): NonNullable<PubSub['publishAll']> {
  return async (topic, messages, signal, bulk = {}) => {
    const entries = messages.map(({ contentType = '', data, entryId, id, metadata }, at) => ({
      entryId: entryId ?? id ?? String(at),
      event: data,
      contentType,
      metadata: { ...metadata },
    }));
    const request = { pubsubName, topic, entries, metadata: { ...bulk } };
    const { failedEntries } = await asked(client.bulkPublish(request, waitedFor(signal)));
    const failed = new Map(failedEntries.map(({ entryId, error }) => [entryId, error]));
    return entries.map(({ entryId }) => {
      const error = failed.get(entryId);
      return error === undefined ? undefined : new Error(error);
    });
  };
}

/** Whether the component is paused: few can be. */
async function pausedNow(
  client: Client<typeof Service>,
  pubsubName: string,
  log: Logger,
): Promise<boolean> {
  try {
    await asked(client.pause({}, { timeoutMs: LONGEST_PAUSING_MS }));
    return true;
  } catch (error) {
    if (!(error instanceof PluggedError && error.code === Code.Unimplemented)) {
      log.warn(`${pubsubName} cannot be paused: ${(error as Error).message}`);
    }
    return false;
  }
}

import {
  type ConsumerConfig,
  type ConsumerInfo,
  JetStreamApiError,
  type JetStreamManager,
} from '@nats-io/jetstream';
import { createInbox } from '@nats-io/transport-node';
import type { JetStreamSettings } from './jetstream-settings.ts';

export interface Wanted {
  readonly topic: string;
  readonly settings: JetStreamSettings;
  /** Where a consumer that has to be made goes on in a stream; undefined: as the settings say. */
  readonly from: (stream: string) => Promise<number | undefined>;
}

const CONSUMER_NOT_FOUND = 10_014;

/**
 * The consumer that pushes a topic's events: made as Dapr makes it, or joined where it is there, be
 * it Dapr's. A durable name serves one topic, since a consumer does: the second topic of a component
 * has a consumer of its own, with the topic in its name.
 */
export async function bindConsumer(
  manager: JetStreamManager,
  wanted: Wanted,
): Promise<ConsumerInfo> {
  const { settings, topic } = wanted;
  const stream = settings.streamName ?? (await manager.streams.find(topic));
  const { durableName } = settings;
  if (durableName === undefined) return await add(manager, stream, wanted, {});
  for (const name of [durableName, `${durableName}-${inName(topic)}`]) {
    const there = await find(manager, stream, name);
    if (there === undefined) {
      return await add(manager, stream, wanted, { durable_name: name });
    }
    if (there.config.filter_subject === topic) return joinable(there, settings);
  }
  throw new Error(`the consumers named for ${durableName} have other topics than ${topic}`);
}

async function add(
  { consumers }: JetStreamManager,
  stream: string,
  wanted: Wanted,
  named: Partial<ConsumerConfig>,
): Promise<ConsumerInfo> {
  const from = await wanted.from(stream);
  return await consumers.add(stream, { ...configOf(wanted, from), ...named });
}

/** What NATS does not allow in a name is written as in a URL. */
const inName = (topic: string): string =>
  topic.replace(/[\s.*>/\\%]/g, (each) => `%${each.codePointAt(0)!.toString(16)}`);

async function find(
  { consumers }: JetStreamManager,
  stream: string,
  name: string,
): Promise<ConsumerInfo | undefined> {
  try {
    return await consumers.info(stream, name);
  } catch (error) {
    if (error instanceof JetStreamApiError && error.code === CONSUMER_NOT_FOUND) return undefined;
    throw error;
  }
}

function joinable(there: ConsumerInfo, { queueGroupName }: JetStreamSettings): ConsumerInfo {
  const { deliver_group, deliver_subject } = there.config;
  if (deliver_subject === undefined) {
    throw new Error(`the consumer ${there.name} is there as one that is pulled from`);
  }
  if (deliver_group !== queueGroupName) {
    throw new Error(
      `the consumer ${there.name} is there with queueGroupName ${deliver_group ?? '(none)'}, not ${queueGroupName ?? '(none)'}`,
    );
  }
  return there;
}

function configOf({ settings, topic }: Wanted, from: number | undefined): Partial<ConsumerConfig> {
  const { ackPolicy, consumer, queueGroupName } = settings;
  const { deliver_policy, opt_start_seq, opt_start_time, ...rest } = consumer;
  const start =
    from === undefined
      ? { deliver_policy, opt_start_seq, opt_start_time }
      : { deliver_policy: 'by_start_sequence', opt_start_seq: from };
  return {
    ...rest,
    ...(JSON.parse(JSON.stringify(start)) as Partial<ConsumerConfig>),
    ack_policy: ackPolicy,
    filter_subject: topic,
    deliver_subject: createInbox(),
    ...(queueGroupName === undefined ? {} : { deliver_group: queueGroupName }),
  };
}

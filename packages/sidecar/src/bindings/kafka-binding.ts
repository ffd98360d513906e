import type { ComponentSettings } from '../components/component-settings.ts';
import { type KafkaPubSubEnv, kafkaPubSub } from '../pubsub/brokers/kafka/kafka-pubsub.ts';
import type { TopicListener } from '../pubsub/pubsub.ts';
import type { BindingEvent, InputBinding, OutputBinding } from './binding.ts';

/** In Dapr a binding hands over once what a broker hands over again, unless its metadata say so. */
const ONCE = { retries: false };

/** A request without data is a tombstone. */
const NOTHING = Buffer.from('null');

/**
 * `bindings.kafka`, outward: `create` writes a record to `publishTopic`, with everything that
 * `pubsub.kafka` knows of a raw event.
 *
 * @throws Error for metadata that cannot be.
 */
export async function kafkaOutput(
  settings: ComponentSettings,
  env: KafkaPubSubEnv,
): Promise<OutputBinding> {
  const topic = settings.text('publishTopic');
  const kafka = await kafkaPubSub(settings, env, ONCE);
  return {
    operations: ['create'],
    async invoke({ data = NOTHING, metadata, trace }, signal) {
      if (topic === undefined) {
        throw new Error(`metadata publishTopic of component ${settings.component} is missing`);
      }
      // Its trace goes with it, as in Dapr; what else a request brings is its own affair.
      const traced = trace.filter(([name]) => name.startsWith('trace'));
      const all = { ...metadata, ...Object.fromEntries(traced) };
      await kafka.publish(topic, { data, metadata: all }, signal);
      return undefined;
    },
    close: () => kafka.close(),
  };
}

/**
 * `bindings.kafka`, inward: brings the records of `topics` to the application, those of a partition
 * one after another.
 *
 * @throws Error for metadata that cannot be.
 */
export async function kafkaInput(
  settings: ComponentSettings,
  env: KafkaPubSubEnv,
): Promise<InputBinding> {
  const { component } = settings;
  const topics = (settings.text('topics') ?? '').split(',').filter((one) => one !== '');
  const kafka = await kafkaPubSub(settings, env, ONCE);
  let listeners: readonly Promise<TopicListener | undefined>[] | undefined;

  const subscribe = async (
    topic: string,
    handle: (event: BindingEvent) => Promise<Buffer | undefined>,
  ): Promise<TopicListener | undefined> => {
    try {
      return await kafka.subscribe(topic, async (event) => void (await handle(event)));
    } catch (error) {
      env.log.error(`binding ${component} does not read ${topic}: ${(error as Error).message}`);
      return undefined;
    }
  };
  return {
    start(handle) {
      if (listeners !== undefined) return;
      if (topics.length === 0) {
        env.log.warn(`binding ${component} names no topics, and so has nothing to tell.`);
      }
      // Side by side: each that joins has the others of its group begin anew.
      listeners = topics.map((topic) => subscribe(topic, handle));
    },
    async suspend() {
      const left = listeners ?? [];
      listeners = undefined;
      // One that still joins its group leaves it as soon as it has.
      await Promise.all(left.map(async (listener) => (await listener)?.close()));
    },
    async stop() {
      await kafka.drain();
      await kafka.close();
    },
  };
}

import { clientOptions, type ResolvedKafkaOptions } from './options.ts';

/** What Kafka calls a topic among the things that have settings. */
const TOPIC = 2;

/** Bytes that a record of a topic may have, as Kafka is set up; undefined where it does not say. */
export async function sizeLimit(
  options: ResolvedKafkaOptions,
  topic: string,
): Promise<number | undefined> {
  if (options.kafka.Admin === undefined) return undefined;
  const admin = new options.kafka.Admin(clientOptions(options));
  try {
    const named = { resourceType: TOPIC, resourceName: topic } as const;
    const configurationKeys = ['max.message.bytes'];
    const [found] = await admin.describeConfigs({ resources: [{ ...named, configurationKeys }] });
    const most = Number(found?.configs.find(({ name }) => name === 'max.message.bytes')?.value);
    return Number.isSafeInteger(most) && most > 0 ? most : undefined;
  } catch {
    // A client may write to a topic and not read its settings: the reason does without the number.
    return undefined;
  } finally {
    // Nothing depends on how it ends.
    await admin.close().catch(() => {});
  }
}

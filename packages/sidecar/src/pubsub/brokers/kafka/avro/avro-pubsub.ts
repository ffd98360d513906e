import type { Published, PubSub, PubSubHandler, PubSubMessage } from '../../../pubsub.ts';
import { avroToJson } from './avro-to-json.ts';
import { jsonToAvro } from './json-to-avro.ts';
import type { SchemaRegistry } from './schema-registry.ts';

/** Confluent's: a zero, and the id of the schema. */
const HEAD_BYTES = 5;

/**
 * Events whose metadata `valueSchemaType` says `Avro` lie in Kafka as Confluent's clients write
 * them, in the latest schema of their topic, and subscriptions that say so are given JSON again.
 * Without a registry they are refused: what should be Avro must not go out as something else.
 */
export function avroPubSub(
  pubsub: PubSub,
  registry: SchemaRegistry | undefined,
  avroJson: boolean,
): PubSub {
  const known = () => {
    if (registry === undefined) throw new Error('schema registry details not set');
    return registry;
  };
  const encoded = async (
    topic: string,
    message: PubSubMessage,
    asking = message.metadata,
  ): Promise<PubSubMessage> => {
    // A tombstone has no schema.
    if (message.data.equals(NULL) || !isAvro(asking)) return message;
    const { id, type } = await known().latest(topic);
    const head = Buffer.alloc(HEAD_BYTES);
    head.writeUInt32BE(id, 1);
    const value = jsonToAvro(type, message.data.toString(), avroJson ? 'named' : 'tried');
    return { ...message, data: Buffer.concat([head, value]) };
  };
  const decoded = async (data: Buffer): Promise<Buffer> => {
    if (data.equals(NULL)) return data;
    if (data.length < HEAD_BYTES) throw new Error('value is too short');
    const { type } = await known().byId(data.readUInt32BE(1));
    return Buffer.from(avroToJson(type, data, HEAD_BYTES, avroJson));
  };
  return {
    ...pubsub,
    bulkIsEachs: true,
    async publish(topic, message, signal) {
      await pubsub.publish(topic, await encoded(topic, message), signal);
    },
    /**
     * All or none, as far as their schemas go. What a bulk says as a whole is each record's, also where its
     * entry says otherwise, and it alone asks for a schema, as in Dapr.
     */
    async publishAll(topic, messages, signal, bulk): Promise<Published> {
      let all: readonly PubSubMessage[];
      try {
        all = await Promise.all(
          messages.map((message) => encoded(topic, withBulk(message, bulk), bulk)),
        );
      } catch (error) {
        return messages.map(() => error as Error);
      }
      return await pubsub.publishAll!(topic, all, signal);
    },
    async subscribe(topic, handler, details = {}, gather = 1) {
      if (!isAvro(details)) return await pubsub.subscribe(topic, handler, details, gather);
      const reading: PubSubHandler = async (message, signal) =>
        await handler({ ...message, data: await decoded(message.data) }, signal);
      return await pubsub.subscribe(topic, reading, details, gather);
    },
    async close() {
      registry?.close();
      await pubsub.close();
    },
  };
}

const withBulk = (message: PubSubMessage, bulk: PubSubMessage['metadata'] = {}): PubSubMessage => ({
  ...message,
  metadata: { ...message.metadata, ...bulk },
});

const NULL = Buffer.from('null');

/** @throws Error for what is neither Avro nor none. */
function isAvro(metadata: Readonly<Record<string, string>>): boolean {
  const name = Object.keys(metadata).find((one) => one.toLowerCase() === 'valueschematype');
  const given = name === undefined ? '' : metadata[name]!;
  if (/^(?:none)?$/i.test(given)) return false;
  if (/^avro$/i.test(given)) return true;
  throw new Error(`error parsing schema type. '${given}' is not a supported value`);
}

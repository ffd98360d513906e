import type { KafkaLayout } from '@holdfast/messaging/kafka';
import type { KafkaPubSubSettings } from './kafka-pubsub-settings.ts';

/** Hands header values and keys on as they are, or as a query would have them. */
type Write = (text: string) => string;

/**
 * Dapr's way with records: the key is what the publisher gave as `partitionKey`
 * (or `__key`) and chooses the partition by FNV-1a, as Go's client has it, so
 * that both makes send one key to one partition, unless `partitionNumber` names one. All metadata travel as headers;
 * where a record lies comes beside them, in names with two underscores.
 */
export function kafkaLayout({
  escapeHeaders,
  excludedHeaders,
}: Pick<KafkaPubSubSettings, 'escapeHeaders'> & Partial<KafkaPubSubSettings>): KafkaLayout {
  const write: Write = escapeHeaders ? queryEscape : (text) => text;
  return {
    recordOf({ topic, key: given, body, headers }) {
      const key = given ?? headers.__key;
      const value = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
      const pairs = Object.entries(headers)
        .filter(([name]) => excludedHeaders?.test(name) !== true)
        .map(([name, text]) => [Buffer.from(name), Buffer.from(text)] as const);
      return {
        topic,
        ...(key === undefined ? {} : { key: Buffer.from(key), partition: hashOf(key) }),
        ...partitionOf(headers.partitionNumber),
        // The text null is a tombstone, both ways.
        ...(value.equals(NULL) ? {} : { value }),
        headers: new Map(pairs),
      };
    },
    messageOf({ topic, partition, offset, timestamp, key, value, headers }) {
      const metadata: Record<string, string> = {
        ...(key === null || key === undefined ? {} : { __key: write(key.toString()) }),
        __offset: String(offset),
        __topic: topic,
        __timestamp: String(timestamp),
        __partition: String(partition),
      };
      for (const [bytes, text] of headers) {
        const name = bytes.toString();
        if (excludedHeaders?.test(name) !== true) metadata[name] = write(text.toString());
      }
      return {
        id: `${topic}/${partition}/${offset}`,
        topic,
        key: key?.toString(),
        body: value ?? NULL,
        headers: metadata,
      };
    },
  };
}

const NULL = Buffer.from('null');

/** Where the publisher names the partition itself. */
function partitionOf(given: string | undefined) {
  if (given === undefined || given === '') return {};
  if (/^\d{1,9}$/.test(given)) return { partition: Number(given), exact: true };
  throw new Error(`invalid partitionNumber metadata value "${given}"`);
}

/** FNV-1a of 32 bits, without its sign; the partition is this modulo their number. */
function hashOf(key: string): number {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(key)) hash = Math.imul(hash ^ byte, 0x01000193);
  return Math.abs(hash | 0);
}

/** As Go's `url.QueryEscape`. */
function queryEscape(text: string): string {
  const strict = (char: string) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`;
  return encodeURIComponent(text)
    .replace(/[!'()*]/g, strict)
    .replaceAll('%20', '+');
}

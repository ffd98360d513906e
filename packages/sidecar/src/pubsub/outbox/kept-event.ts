import type { OutgoingMessage } from '@holdfast/messaging';
import { messageTtlMs } from '../message-ttl.ts';
import type { PubSubMessage } from '../pubsub.ts';

/** What a publication has beside its metadata lies among them in the file, by names that no client sends. */
const CONTENT_TYPE = 'holdfast-kept-content-type';
const EXPIRES = 'holdfast-kept-expires-ms';

type Headers = Readonly<Record<string, string>>;

/**
 * The headers of an event in the file. `brokerExpires`: the broker lets messages expire, and is to count
 * from the publication, however long the event waits here.
 */
export function keptHeaders(
  { contentType, metadata }: PubSubMessage,
  brokerExpires: boolean,
  nowWallMs: number,
): Headers {
  const ttlMs = brokerExpires ? messageTtlMs(metadata) : undefined;
  if (contentType === undefined && !ttlMs) return metadata;
  return {
    ...metadata,
    ...(contentType === undefined ? {} : { [CONTENT_TYPE]: contentType }),
    // One that is over at once is for the broker to see to.
    ...(ttlMs ? { [EXPIRES]: String(nowWallMs + ttlMs) } : {}),
  };
}

/** The event as its broker is given it; undefined where its time was over before its turn came. */
export function keptEvent(
  { body, headers, id }: OutgoingMessage,
  nowWallMs: number,
): PubSubMessage | undefined {
  const { [CONTENT_TYPE]: contentType, [EXPIRES]: expires, ...metadata } = headers;
  const leftMs = expires === undefined ? undefined : Number(expires) - nowWallMs;
  if (leftMs !== undefined && leftMs <= 0) return undefined;
  return {
    id,
    data: Buffer.from(body.buffer, body.byteOffset, body.byteLength),
    metadata: leftMs === undefined ? metadata : withTtl(metadata, leftMs),
    ...(contentType === undefined ? {} : { contentType }),
  };
}

/** By the name that the client chose; in whole seconds, which every broker reads. */
function withTtl(metadata: Headers, leftMs: number): Headers {
  const seconds = String(Math.ceil(leftMs / 1_000));
  return Object.fromEntries(
    Object.entries(metadata).map(([name, value]) =>
      /^ttl(?:inseconds)?$/i.test(name) ? [name, seconds] : [name, value],
    ),
  );
}

import type { JsonObject, MessageInitShape } from '@bufbuild/protobuf';
import type { TopicEventRequestSchema } from '../grpc/protos/appcallback_pb.ts';
import type { Envelope } from './envelope.ts';

/** Fields of a CloudEvent that the message has for itself. */
const OWN = new Set([
  'id',
  'source',
  'type',
  'specversion',
  'datacontenttype',
  'data',
  'data_base64',
]);

/** An event as applications over gRPC get it, in a callback or a stream. */
export function topicEventOf(
  event: Envelope,
  { pubsub, path }: { readonly pubsub: string; readonly path: string },
): MessageInitShape<typeof TopicEventRequestSchema> {
  const text = (name: string): string => {
    const value = event[name];
    return typeof value === 'string' ? value : '';
  };
  const extensions = Object.entries(event).filter(([name]) => !OWN.has(name));
  return {
    id: text('id'),
    source: text('source'),
    type: text('type'),
    specVersion: text('specversion'),
    dataContentType: text('datacontenttype'),
    data: dataOf(event),
    topic: text('topic'),
    pubsubName: pubsub,
    path,
    extensions: Object.fromEntries(extensions) as JsonObject,
  };
}

/** Text and bytes as they are, anything else as JSON. */
function dataOf({ data, data_base64: base64, datacontenttype: type }: Envelope): Uint8Array {
  if (typeof base64 === 'string') return Buffer.from(base64, 'base64');
  if (data === undefined) return new Uint8Array();
  const isText = typeof data === 'string' && !String(type ?? '').includes('json');
  return Buffer.from(isText ? (data as string) : JSON.stringify(data));
}

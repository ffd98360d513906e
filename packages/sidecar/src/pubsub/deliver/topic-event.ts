import type { JsonObject, MessageInitShape } from '@bufbuild/protobuf';
import { writeJson } from '../../go-json/write-json.ts';
import type {
  TopicEventBulkRequestSchema,
  TopicEventRequestSchema,
} from '../../grpc/protos/appcallback_pb.ts';
import type { Envelope } from '../envelope.ts';

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

/** Where an event was found, and where in the application it is to go. */
interface Place {
  readonly pubsub: string;
  /** Of the subscription: a dead letter tells of another, a raw payload of none. */
  readonly topic: string;
  readonly path: string;
}

/** An event as applications over gRPC get it, in a callback or a stream. */
export function topicEventOf(
  event: Envelope,
  { pubsub, topic, path }: Place,
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
    topic,
    pubsubName: pubsub,
    path,
    extensions: Object.fromEntries(extensions) as JsonObject,
  };
}

/** Text and bytes as they are, anything else as JSON in Go's hand. */
function dataOf({ data, data_base64: base64, datacontenttype: type }: Envelope): Uint8Array {
  if (typeof base64 === 'string') return Buffer.from(base64, 'base64');
  if (data === undefined || data === null) return new Uint8Array();
  const isText = typeof data === 'string' && !String(type ?? '').includes('json');
  return Buffer.from(isText ? (data as string) : writeJson(data));
}

/** Several events in the form they have over HTTP, as applications over gRPC get them. */
export function bulkEventOf(
  bulk: BulkEnvelope,
  path: string,
): MessageInitShape<typeof TopicEventBulkRequestSchema> {
  return {
    id: bulk.id,
    topic: bulk.topic,
    pubsubName: bulk.pubsubname,
    type: bulk.type,
    metadata: bulk.metadata,
    path,
    entries: bulk.entries.map(({ contentType, entryId, event, metadata }) => ({
      entryId,
      contentType,
      metadata: metadata ?? {},
      event:
        typeof event === 'string'
          ? { case: 'bytes', value: Buffer.from(event, 'base64') }
          : { case: 'cloudEvent', value: cloudEventOf(event) },
    })),
  };
}

interface BulkEnvelope {
  readonly id: string;
  readonly topic: string;
  readonly pubsubname: string;
  readonly type: string;
  readonly metadata: Record<string, string>;
  readonly entries: readonly {
    readonly entryId: string;
    readonly contentType: string;
    readonly event: Envelope | string;
    readonly metadata?: Record<string, string>;
  }[];
}

function cloudEventOf(event: Envelope) {
  const { data, dataContentType, extensions, id, source, specVersion, type } = topicEventOf(event, {
    pubsub: '',
    topic: '',
    path: '',
  });
  return { data, dataContentType, extensions, id, source, specVersion, type } as object;
}

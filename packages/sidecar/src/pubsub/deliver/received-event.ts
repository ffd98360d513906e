import { goBoolean } from '../../components/go-boolean.ts';
import { goKind } from '../../go-json/go-kind.ts';
import { writeJson } from '../../go-json/write-json.ts';
import { isRecord } from '../../resources/resource-files.ts';
import { type Envelope, rawEnvelope } from '../envelope.ts';
import { mediaType } from '../media-type.ts';
import type { PubSubMessage } from '../pubsub.ts';
import type { TopicSubscription } from '../subscribe/subscription.ts';
import { DeliveryError } from './delivery-error.ts';

/** A broker's message as the application is to have it. */
export interface ReceivedEvent {
  readonly event: Envelope;
  /** What is posted over HTTP: the very bytes of a CloudEvent, whose numbers may be longer than ours. */
  readonly body: Buffer;
}

/** @throws DeliveryError, or SyntaxError, for what is no CloudEvent where one is expected. */
export function receivedEvent(
  { metadata: wanted, pubsub, topic }: TopicSubscription,
  { data, metadata, topic: came = topic }: PubSubMessage,
): ReceivedEvent {
  if (wantsRaw(wanted)) {
    const event = withTrace(rawEnvelope(data, pubsub, came), metadata);
    return { event, body: Buffer.from(writeJson(event)) };
  }
  const type = metadata['content-type'];
  if (type !== undefined && mediaType(type) === 'application/octet-stream') {
    return { event: binaryEvent(data, type, metadata), body: data };
  }
  const event: unknown = JSON.parse(data.toString('utf8'));
  if (!isRecord(event)) throw new DeliveryError(`no CloudEvent, but JSON of type ${goKind(event)}`);
  return { event: withTrace(event, metadata), body: data };
}

/** @throws DeliveryError for a subscription whose `rawPayload` is neither true nor false. */
export function wantsRaw({ rawPayload = '' }: TopicSubscription['metadata']): boolean {
  if (rawPayload === '') return false;
  const raw = goBoolean(rawPayload);
  if (raw !== undefined) return raw;
  throw new DeliveryError(`rawPayload value must be a valid boolean: actual is '${rawPayload}'`);
}

/** A CloudEvent whose attributes are beside it (`ce_id`, as in Kafka's binary mode), and whose data are all it is. */
function binaryEvent(data: Buffer, type: string, metadata: PubSubMessage['metadata']): Envelope {
  const attributes = Object.entries(metadata).flatMap(([given, value]) => {
    const name = given.toLowerCase();
    return name.startsWith('ce_') ? [[name.slice('ce_'.length), value] as const] : [];
  });
  return {
    ...Object.fromEntries(attributes),
    datacontenttype: type,
    data_base64: data.toString('base64'),
  };
}

/** Where the event does not tell its trace, what came beside it may. */
function withTrace(
  event: Envelope,
  { traceid, traceparent, tracestate }: PubSubMessage['metadata'],
) {
  const told: Record<string, string> = {};
  if (!('traceid' in event) && traceid !== undefined) told.traceid = traceid;
  // Both are one fact to Dapr, and this is the one that counts.
  if (!('traceparent' in event) && traceparent !== undefined)
    Object.assign(told, { traceid: traceparent, traceparent });
  if (!('tracestate' in event) && tracestate !== undefined) told.tracestate = tracestate;
  return { ...event, ...told };
}

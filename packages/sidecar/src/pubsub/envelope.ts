import { randomUUID } from 'node:crypto';
import { utcSeconds } from '../components/utc-seconds.ts';
import { isRecord } from '../resources/resource-files.ts';
import { isJson, mediaType } from './media-type.ts';

/** A CloudEvent, as Dapr makes it. */
export type Envelope = Readonly<Record<string, unknown>>;

export interface EnvelopeFacts {
  readonly appId: string;
  readonly pubsub: string;
  readonly topic: string;
  readonly contentType: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly traceparent: string;
  readonly tracestate: string;
  readonly nowWallMs: number;
}

const EVENT_TYPE = 'com.dapr.event.sent';
export const CLOUD_EVENTS = 'application/cloudevents+json';

/** Metadata by which the publisher says what Dapr would fill in. */
const OVERRIDES = ['id', 'source', 'type', 'subject', 'traceparent', 'traceid', 'tracestate'];

/** The envelope of an event. @throws Error where a CloudEvent that the client made is none. */
export function envelopeOf(body: Buffer, facts: EnvelopeFacts): Envelope {
  const base = isCloudEvents(facts.contentType)
    ? ownEnvelope(body, facts)
    : newEnvelope(body, facts);
  const overrides = Object.fromEntries(
    OVERRIDES.flatMap((name) => {
      const value = facts.metadata[`cloudevent.${name}`];
      return value === undefined || value === '' ? [] : [[name, value]];
    }),
  );
  const ttl = Number(facts.metadata.ttlInSeconds);
  const expiration = ttl > 0 ? { expiration: utcSeconds(facts.nowWallMs + ttl * 1_000) } : {};
  return { ...base, ...expiration, ...overrides };
}

/** What a subscriber of raw events gets: the bytes in an envelope made on the way. */
export function rawEnvelope(data: Buffer, pubsub: string, topic: string): Envelope {
  return {
    id: randomUUID(),
    specversion: '1.0',
    type: EVENT_TYPE,
    source: 'Dapr',
    datacontenttype: 'application/octet-stream',
    data_base64: data.toString('base64'),
    topic,
    pubsubname: pubsub,
  };
}

function newEnvelope(body: Buffer, facts: EnvelopeFacts): Envelope {
  const { appId, contentType } = facts;
  return {
    ...filled(facts),
    ...dataOf(body, contentType),
    datacontenttype: contentType,
    id: randomUUID(),
    source: appId,
    specversion: '1.0',
    type: EVENT_TYPE,
  };
}

function ownEnvelope(body: Buffer, facts: EnvelopeFacts): Envelope {
  const event: unknown = JSON.parse(body.toString('utf8'));
  if (!isRecord(event)) throw new Error('a CloudEvent must be a JSON object');
  // What the client says stands, but for where the event goes.
  const { pubsubname, topic, ...more } = filled(facts);
  return {
    ...more,
    source: 'Dapr',
    specversion: '1.0',
    type: EVENT_TYPE,
    ...event,
    pubsubname,
    topic,
  };
}

function filled({ nowWallMs, pubsub, topic, traceparent, tracestate }: EnvelopeFacts) {
  const time = utcSeconds(nowWallMs);
  return { pubsubname: pubsub, topic, time, traceid: traceparent, traceparent, tracestate };
}

function dataOf(body: Buffer, contentType: string): Envelope {
  const type = mediaType(contentType);
  if (isJson(type)) {
    try {
      return { data: JSON.parse(body.toString('utf8')) };
    } catch {
      // As in Dapr: what is no JSON after all goes as the text it is.
      return { data: body.toString('utf8') };
    }
  }
  const binary =
    type === 'application/octet-stream' ||
    /^application\/(?:x-|vnd\.google\.)?protobuf$/.test(type);
  return binary ? { data_base64: body.toString('base64') } : { data: body.toString('utf8') };
}

const isCloudEvents = (contentType: string): boolean =>
  contentType.toLowerCase().startsWith(CLOUD_EVENTS);

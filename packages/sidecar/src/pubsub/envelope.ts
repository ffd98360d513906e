import { randomUUID } from 'node:crypto';
import { utcSeconds } from '../components/utc-seconds.ts';
import { parseExactly, WrittenNumber } from '../go-json/exact-numbers.ts';
import { goAny, goMap, readInto } from '../go-json/go-type.ts';
import { firstJson } from '../go-json/read-json.ts';
import { isJson, mediaType } from './media-type.ts';
import { messageTtlMs } from './message-ttl.ts';

/** A CloudEvent, as Dapr makes it. */
export type Envelope = Readonly<Record<string, unknown>>;

/** What the rules of a subscription see: of a raw event the text that was sent, as in Dapr. */
export type SeenEvent = Envelope | string;

export interface EnvelopeFacts {
  readonly appId: string;
  readonly pubsub: string;
  readonly topic: string;
  readonly contentType: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly traceparent: string;
  readonly tracestate: string;
  readonly nowWallMs: number;
  /** The broker itself lets messages expire: the event need not say when. @default false */
  readonly brokerExpires?: boolean;
}

const EVENT_TYPE = 'com.dapr.event.sent';
export const CLOUD_EVENTS = 'application/cloudevents+json';

/** Metadata by which the publisher says what Dapr would fill in. */
const OVERRIDES = ['id', 'source', 'type', 'subject', 'traceparent', 'traceid', 'tracestate'];

/** The envelope of an event. @throws Error where a CloudEvent that the client made is none. */
export function envelopeOf(body: Buffer, facts: EnvelopeFacts): Envelope {
  const event = isCloudEvents(mediaType(facts.contentType))
    ? ownEnvelope(body, facts)
    : { ...newEnvelope(body, facts), ...overrides(facts.metadata) };
  const expiration = expirationOf(facts);
  return expiration === undefined ? event : { ...event, expiration };
}

/** Of what Dapr fills in; an event that the client made says all that for itself. */
function overrides(metadata: EnvelopeFacts['metadata']): Envelope {
  const named = new Map(Object.entries(metadata).map(([name, one]) => [name.toLowerCase(), one]));
  const given = OVERRIDES.flatMap((name) => {
    const value = named.get(`cloudevent.${name}`);
    return value === undefined || value === '' ? [] : [[name, value] as const];
  });
  const fields: Record<string, string> = Object.fromEntries(given);
  const trace = fields.traceparent ?? fields.traceid;
  return trace === undefined ? fields : { ...fields, traceid: trace, traceparent: trace };
}

function expirationOf({ brokerExpires, metadata, nowWallMs }: EnvelopeFacts): string | undefined {
  const ttlMs = brokerExpires ? undefined : messageTtlMs(metadata);
  return ttlMs === undefined ? undefined : utcSeconds(nowWallMs + ttlMs);
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

/** What Dapr says of an event of its own accord. */
export function newEnvelope(body: Buffer, facts: EnvelopeFacts): Envelope {
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
  const given = firstJson(body.toString('utf8'), parseExactly);
  const event = readInto(EVENT, given instanceof WrittenNumber ? Number(given.source) : given);
  // What the client says stands, but for where the event goes.
  const { pubsubname, topic, traceid, traceparent, ...more } = filled(facts);
  const base = { ...more, source: 'Dapr', specversion: '1.0', type: EVENT_TYPE };
  const said = Object.entries(event).filter(([name, one]) => one !== null || !(name in base));
  // The two are one fact to Dapr: who says the one has said the other.
  const trace = 'traceid' in event ? {} : { traceid, traceparent };
  return { ...base, ...Object.fromEntries(said), ...trace, pubsubname, topic };
}

const EVENT = goMap(goAny);

function filled({ nowWallMs, pubsub, topic, traceparent, tracestate }: EnvelopeFacts) {
  const time = utcSeconds(nowWallMs);
  return { pubsubname: pubsub, topic, time, traceid: traceparent, traceparent, tracestate };
}

function dataOf(body: Buffer, contentType: string): Envelope {
  const type = mediaType(contentType);
  if (isJson(type)) {
    try {
      return { data: firstJson(body.toString('utf8'), parseExactly) };
    } catch {
      // As in Dapr: what is no JSON after all goes as the text it is.
      return { data: body.toString('utf8') };
    }
  }
  const binary =
    type === 'application/octet-stream' ||
    // daprd has only the first of these as bytes; as texts the others come out damaged.
    /^application\/(?:cloudevents\+|x-|vnd\.google\.)?protobuf$/.test(type);
  return binary ? { data_base64: body.toString('base64') } : { data: body.toString('utf8') };
}

export const isCloudEvents = (type: string): boolean => type === CLOUD_EVENTS;

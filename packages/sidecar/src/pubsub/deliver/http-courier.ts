import { randomUUID } from 'node:crypto';
import type { AppAnswer, AskApp } from '../../app/ask-app.ts';
import type { OutgoingCall } from '../../flow/answer.ts';
import { isHopByHop } from '../../flow/headers/hop-by-hop.ts';
import { goSlice, goString, goStruct, readInto } from '../../go-json/go-type.ts';
import { firstJson, wholeJson } from '../../go-json/read-json.ts';
import { writeJson } from '../../go-json/write-json.ts';
import { httpFault } from '../../trace/api-span.ts';
import type { Tracing } from '../../trace/tracing.ts';
import { CLOUD_EVENTS, type Envelope } from '../envelope.ts';
import type { BulkDelivery, Courier, Delivery, Verdict } from './courier.ts';
import { DeliveryError } from './delivery-error.ts';
import { inDeliverySpans } from './delivery-spans.ts';

const BULK_TYPE = 'com.dapr.event.sent.bulk';

/** Posts events to the application's routes. */
export function httpCourier(ask: AskApp, tracing: Tracing): Courier {
  const post = (
    subscribed: NonNullable<OutgoingCall['subscribed']>,
    events: readonly (Envelope | string)[],
    own: readonly string[],
    body: Buffer,
    signal: AbortSignal | undefined,
  ): Promise<AppAnswer> =>
    inDeliverySpans(
      tracing,
      { topic: subscribed.topic, events },
      (trace) => {
        const path = full(subscribed.path);
        const headers = [...own, ...trace];
        return ask({ method: 'POST', path, headers, body, subscribed }, signal);
      },
      ({ status }) => httpFault(status),
    );
  return {
    countsDropAs: 'success',
    async bring(delivery, signal) {
      const { body, event, path, topic } = delivery;
      const answer = await post({ topic, path, event }, [event], headersOf(delivery), body, signal);
      return verdict(answer, String(event.id));
    },
    async bringBulk(delivery, signal) {
      const { entries, path, pubsub, topic } = delivery;
      const body = Buffer.from(bulkText(delivery));
      const headers = ['content-type', 'application/json', 'content-length', String(body.length)];
      if (isHeader(pubsub)) headers.push('pubsubname', pubsub);
      const events = entries.map(({ event }) => event);
      const answer = await post({ topic, path }, events, headers, body, signal);
      return bulkVerdicts(answer, delivery);
    },
  };
}

/** From the root, with what a request's line cannot hold escaped. */
const full = (path: string): string =>
  (path.startsWith('/') ? path : `/${path}`).replaceAll(/[^\x21-\x7e]+/g, encodeURIComponent);

function headersOf({ body, metadata, pubsub }: Delivery): string[] {
  const headers = ['content-type', CLOUD_EVENTS, 'content-length', String(body.length)];
  for (const [given, value] of Object.entries({ ...metadata, pubsubName: pubsub })) {
    const name = given.toLowerCase();
    if (isOurs(name) || !/^[\w.-]+$/.test(name) || !isHeader(value)) continue;
    headers.push(name, value);
  }
  return headers;
}

/** Metadata is the publisher's to choose; the framing of our request and its trace are not. */
const isOurs = (name: string): boolean =>
  isHopByHop(name) || /^(?:content-(?:length|type|encoding)|dapr-.*|traceparent)$/.test(name);

const isHeader = (value: string): boolean => /^[\x20-\x7e]*$/.test(value);

/** An envelope has its names in order, its entries in that of Dapr. */
function bulkText({ entries, pubsub, topic }: BulkDelivery): string {
  const listed = entries.map(({ contentType, entryId, event, metadata }) => {
    const fields = Object.entries({ entryId, event, metadata, contentType });
    return `{${fields.map(([name, value]) => `"${name}":${writeJson(value)}`).join(',')}}`;
  });
  const more = {
    id: randomUUID(),
    metadata: { pubsubName: pubsub },
    pubsubname: pubsub,
    topic,
    type: BULK_TYPE,
  };
  return `{"entries":[${listed.join(',')}],${writeJson(more).slice(1)}`;
}

/** What the answer says, in Dapr's words; 404 means that nobody will ever want it. */
function verdict({ body, status }: AppAnswer, id: string): Verdict {
  if (status === 404) return 'lost';
  const about = `while processing pub/sub event ${id}`;
  if (status < 200 || status >= 300) {
    const text = body.toString('utf8').slice(0, 200);
    throw new DeliveryError(
      `retriable error returned from app ${about}, body: ${text}. status code returned: ${status}`,
      status,
    );
  }
  switch (statusIn(body)) {
    case '':
    case 'SUCCESS':
      return 'success';
    case 'DROP':
      return 'drop';
    case 'RETRY':
      throw new DeliveryError(`RETRY status returned from app ${about}: retriable error occurred`);
    default:
      throw new DeliveryError(`unknown status returned from app ${about}`);
  }
}

/** Empty where the body says nothing about it: then all is well. */
function statusIn(body: Buffer): string {
  if (body.length === 0) return '';
  try {
    return readInto(ANSWER, firstJson(body.toString('utf8'))).status;
  } catch {
    // A body that is no JSON, or says something else, is a success as well.
    return '';
  }
}

const ANSWER = goStruct('pubsub.AppResponse', { status: goString });

/** Unlike that to a single event, an answer that says nothing of them is a failure of all. */
function bulkVerdicts(
  { body, status }: AppAnswer,
  { entries, topic }: BulkDelivery,
): ReadonlyMap<string, string> {
  if (status === 404) return new Map(entries.map(({ entryId }) => [entryId, 'DROP']));
  if (status < 200 || status >= 300) {
    // Without the status, as in Dapr: it is not matched against the codes of a retry policy.
    throw new DeliveryError(
      `Retriable error returned from app while processing bulk pub/sub event, topic: ${topic}. status code returned: ${status}`,
    );
  }
  try {
    const { statuses } = readInto(BULK_ANSWER, wholeJson(body.toString('utf8')));
    return new Map(statuses.map(({ entryId, status: one }) => [entryId, one]));
  } catch (error) {
    const why = (error as Error).message;
    throw new DeliveryError(`failed unmarshalling app response for bulk subscribe: ${why}`);
  }
}

const BULK_ANSWER = goStruct('pubsub.AppBulkResponse', {
  statuses: goSlice(
    goStruct('pubsub.AppBulkResponseEntry', { entryId: goString, status: goString }),
  ),
});

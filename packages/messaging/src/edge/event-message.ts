import { newMessageId } from '../accept/message-id.ts';
import { isName, LONGEST_NAME } from '../accept/new-message.ts';
import type { NewMessage } from '../message.ts';
import { contextIn, withContext } from '../trace/trace-headers.ts';
import type { BodyHeaders } from './body-of.ts';
import type { ResolvedEdgeOptions } from './edge-options.ts';
import { type EdgeEvent, type EdgeHeaders, type EdgeRequest, headerOf } from './edge-request.ts';
import { readJson } from './json-place.ts';

export type EventMessage =
  | { readonly kind: 'message'; readonly message: NewMessage & { readonly id: string } }
  /** The client's mistake, in a sentence. */
  | { readonly kind: 'refused'; readonly status: 400 | 415 | 422; readonly error: string };

/** Reads a request's event as the message that is to be kept. */
export function eventMessage<Raw>(
  options: ResolvedEdgeOptions<Raw>,
  { url, headers, raw }: EdgeRequest<Raw>,
  body: Uint8Array,
  about: BodyHeaders,
): EventMessage {
  let json: unknown;
  if (options.json) {
    if (body.byteLength === 0) return refused(400, 'The body is empty; it must be JSON.');
    const encoding = about['content-encoding'] ?? 'identity';
    if (encoding !== 'identity') {
      return refused(415, `The body must be plain JSON, without content-encoding "${encoding}".`);
    }
    const read = readJson(body);
    if (read.kind === 'broken') return refused(400, `The body must be JSON: ${read.why}.`);
    json = read.value;
  }

  const event: EdgeEvent<Raw> = { url, headers, body, json, raw };
  const named = nameOf(options, event);
  if (named.kind === 'refused') return named;
  const topic = typeof options.topic === 'string' ? options.topic : options.topic(event);
  if (topic === undefined || !isName(topic)) {
    return refused(422, 'The event is for no topic that is known here.');
  }
  const key = options.key?.(event);
  if (key !== undefined && !isName(key)) {
    return refused(
      422,
      `The event’s key must be text of 1 to ${LONGEST_NAME} characters, without U+0000.`,
    );
  }
  const type = about['content-type'] ?? (options.json ? 'application/json' : undefined);
  return {
    kind: 'message',
    message: {
      id: named.id ?? newMessageId(options.clock.wallMs()),
      topic,
      ...(key !== undefined && { key }),
      body,
      headers: {
        ...about,
        ...(type !== undefined && { 'content-type': type }),
        ...traceOf(headers),
      },
    },
  };
}

type Named =
  | { readonly kind: 'named'; readonly id: string | undefined }
  | Extract<EventMessage, { readonly kind: 'refused' }>;

/** The id that the client or the service gives the event; undefined where neither does. */
function nameOf<Raw>(options: ResolvedEdgeOptions<Raw>, event: EdgeEvent<Raw>): Named {
  const { idempotencyHeader: header } = options;
  if (options.id !== undefined) {
    const id = options.id(event);
    if (id === undefined || isName(id)) return { kind: 'named', id };
    return refused(400, `The event’s id must be text of 1 to ${LONGEST_NAME} characters.`);
  }
  const value = headerOf(event.headers, header);
  // The IETF's draft writes the key as a quoted string, most clients write it bare: it is the same.
  const id = value === undefined ? undefined : (/^"(.*)"$/.exec(value)?.[1] ?? value);
  // Some brokers count an id's bytes, and anybody can send a key: the draft allows no more either.
  if (id === undefined || (isName(id) && /^[\x20-\x7e]*$/.test(id))) return { kind: 'named', id };
  return refused(400, `${header} must be 1 to ${LONGEST_NAME} printable characters of ASCII.`);
}

/** The request's place in its trace. What breaks the rules is left behind. */
function traceOf(headers: EdgeHeaders): Readonly<Record<string, string>> {
  const traceparent = headerOf(headers, 'traceparent');
  if (traceparent === undefined) return {};
  const tracestate = headerOf(headers, 'tracestate');
  return withContext({}, contextIn({ traceparent, ...(tracestate && { tracestate }) }));
}

function refused(
  status: 400 | 415 | 422,
  error: string,
): Extract<EventMessage, { readonly kind: 'refused' }> {
  return { kind: 'refused', status, error };
}

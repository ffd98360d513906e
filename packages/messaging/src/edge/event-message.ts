import { formatTraceparent, parseTraceparent } from '@holdfast/core/trace';
import type { NewMessage } from '../message.ts';
import { newMessageId } from '../message-id.ts';
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
  const named = options.id === undefined ? idIn(headers, options) : options.id(event);
  if (named !== undefined && !isName(named)) {
    return refused(400, `${options.idempotencyHeader} must be text of 1 to ${LONGEST} characters.`);
  }
  const topic = typeof options.topic === 'string' ? options.topic : options.topic(event);
  if (topic === undefined) return refused(422, 'The event is for no topic that is known here.');
  const key = options.key?.(event);
  if (key !== undefined && !isName(key)) {
    return refused(422, `The event’s key must be text of 1 to ${LONGEST} characters.`);
  }
  const type = about['content-type'] ?? (options.json ? 'application/json' : undefined);
  return {
    kind: 'message',
    message: {
      id: named ?? newMessageId(options.clock.wallMs()),
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

/** As long as a message's id may be. */
const LONGEST = 255;

const isName = (value: unknown) =>
  typeof value === 'string' && value !== '' && value.length <= LONGEST;

/** RFC drafts write the key as a quoted string, most clients write it bare: both are the same key. */
function idIn(
  headers: EdgeHeaders,
  { idempotencyHeader }: { readonly idempotencyHeader: string },
): string | undefined {
  const value = headerOf(headers, idempotencyHeader);
  return value === undefined ? undefined : (/^"(.*)"$/.exec(value)?.[1] ?? value);
}

/** Longer ones may be dropped, says the standard; they would only fill the store. */
const LONGEST_STATE = 512;

/** The request's place in its trace. What breaks the rules is left behind. */
function traceOf(headers: EdgeHeaders): Record<string, string> {
  const context = parseTraceparent(headerOf(headers, 'traceparent'));
  if (context === undefined) return {};
  const state = headerOf(headers, 'tracestate');
  const keep = state !== undefined && state !== '' && state.length <= LONGEST_STATE;
  return { traceparent: formatTraceparent(context), ...(keep && { tracestate: state }) };
}

function refused(status: 400 | 415 | 422, error: string): EventMessage {
  return { kind: 'refused', status, error };
}

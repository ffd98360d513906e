import { tellListener } from '../tell-listener.ts';
import { bodyOf } from './body-of.ts';
import type { ResolvedEdgeOptions } from './edge-options.ts';
import { answerOf, type EdgeAnswer, type EdgeRequest } from './edge-request.ts';
import { eventMessage } from './event-message.ts';
import { acceptRefusal, isOutboxRefusal, statusRefusal } from './refusal-answer.ts';

/**
 * Answers a request at the edge: an event is accepted, and 202 said, when it is on disk. Undefined
 * for a path that is not the edge's; nothing of the request has been touched then.
 *
 * Every adapter is a few lines around this. Whatever else brings requests (a test, a framework
 * that has no adapter here) calls it as they do.
 */
export async function acceptRequest<Raw>(
  options: ResolvedEdgeOptions<Raw>,
  request: EdgeRequest<Raw>,
): Promise<EdgeAnswer | undefined> {
  const place = placeOf(options.path, request.url);
  switch (place?.kind) {
    case undefined:
      return undefined;
    case 'events':
      if (request.method !== 'POST') return notAllowed(request, 'POST');
      return accept(options, request);
    case 'event':
      if (request.method !== 'GET' && request.method !== 'HEAD') {
        return notAllowed(request, 'GET, HEAD');
      }
      return lookUp(options, request, place.id);
  }
}

type Place = { readonly kind: 'events' } | { readonly kind: 'event'; readonly id: string };

/** Which of the edge's two places a URL is. An id that is wrongly escaped is nobody's. */
export function placeOf(path: string, url: string): Place | undefined {
  const end = url.search(/[?#]/);
  const found = end === -1 ? url : url.slice(0, end);
  if (found === path) return { kind: 'events' };
  if (!found.startsWith(`${path}/`)) return undefined;
  const id = found.slice(path.length + 1);
  if (id === '' || id.includes('/')) return undefined;
  try {
    return { kind: 'event', id: decodeURIComponent(id) };
  } catch {
    return undefined;
  }
}

async function accept<Raw>(
  options: ResolvedEdgeOptions<Raw>,
  request: EdgeRequest<Raw>,
): Promise<EdgeAnswer> {
  const read = await bodyOf(request, options);
  switch (read.kind) {
    case 'too-large':
      return answerOf(
        413,
        { error: `The body is larger than ${options.maxBodyBytes} bytes.` },
        { unread: true },
      );
    case 'stalled':
      return answerOf(408, { error: 'The body did not come in time.' }, { unread: true });
    case 'gone':
      // Nobody hears this. Half an event is no event.
      return answerOf(400, { error: 'The body ended before its end.' }, { unread: true });
    case 'read':
  }
  const event = eventMessage(options, request, read.body, read.about);
  if (event.kind === 'refused') return answerOf(event.status, { error: event.error });
  const { message } = event;
  const location = `${request.base ?? ''}${options.path}/${encodeURIComponent(message.id)}`;
  try {
    const [receipt] = await options.accept([message]);
    const known = receipt?.duplicate === true && { duplicate: true };
    return answerOf(
      202,
      { status: 'accepted', id: message.id, ...known },
      { headers: { location } },
    );
  } catch (error) {
    if (!isOutboxRefusal(error)) throw error;
    tellListener(options.onProblem, error);
    return acceptRefusal(error, message.id);
  }
}

async function lookUp<Raw>(
  options: ResolvedEdgeOptions<Raw>,
  request: EdgeRequest<Raw>,
  id: string,
): Promise<EdgeAnswer> {
  try {
    const found = await options.status(id, request.raw);
    if (found === undefined) return answerOf(404, { error: 'No event of this id is known.' });
    const { state, deliveries, progress, result } = found;
    const status = state === 'queued' ? 'accepted' : state;
    const more = {
      ...(progress !== undefined && { progress }),
      ...(result !== undefined && { result }),
    };
    return answerOf(200, { id, status, deliveries, ...more });
  } catch (error) {
    if (!isOutboxRefusal(error)) throw error;
    tellListener(options.onProblem, error);
    return statusRefusal(error);
  }
}

function notAllowed({ method, url }: EdgeRequest, allow: string): EdgeAnswer {
  const error = `${method} ${url} is not possible; ${allow} is.`;
  return answerOf(405, { error }, { headers: { allow }, unread: true });
}

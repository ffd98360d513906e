import type { IncomingMessage, ServerResponse } from 'node:http';
import { tellListener } from '../tell-listener.ts';
import { acceptRequest } from './accept-request.ts';
import { type EdgeOptions, type ResolvedEdgeOptions, resolveEdgeOptions } from './edge-options.ts';
import { answerOf, type EdgeAnswer, type EdgeBody } from './edge-request.ts';
import { letGo } from './let-go.ts';

/**
 * For `node:http`: `createServer(nodeEdge({ outbox, topic: 'orders' }))`. Requests to other paths go
 * to `next` where one is given, and get 404 where none is.
 */
export function nodeEdge(
  given: EdgeOptions<IncomingMessage>,
): (request: IncomingMessage, response: ServerResponse, next?: () => void) => void {
  const options = resolveEdgeOptions(given);
  return (request, response, next) => {
    void acceptRequest(options, {
      method: request.method ?? 'GET',
      url: request.url ?? '/',
      headers: request.headers,
      body: request,
      raw: request,
    })
      .catch((error: unknown) => {
        tellListener(options.onProblem, error);
        return answerOf(500, { error: 'The request failed.' }, { unread: true });
      })
      .then((answer) => {
        if (answer !== undefined) send(answer, request, response, options);
        else if (next !== undefined) next();
        else send(NOT_HERE, request, response, options);
      });
  };
}

const NOT_HERE = answerOf(404, { error: 'There is nothing here.' }, { unread: true });

/** Writes an answer as it stands. */
export function send(
  { status, headers, body, unread }: EdgeAnswer,
  request: IncomingMessage,
  response: ServerResponse,
  { clock }: Pick<ResolvedEdgeOptions, 'clock'>,
): void {
  if (response.destroyed) return;
  // A client that hangs up while it is answered is no reason to end the process.
  response.on('error', () => {});
  response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(body) }).end(body);
  if (unread) letGo(request, clock);
}

/** A request after middleware: what a parser made of its body, and where it is mounted. */
export interface ParsedRequest extends IncomingMessage {
  readonly body?: unknown;
  /** Bytes as they came, kept by a parser's `verify` or by a platform that parses by itself. */
  readonly rawBody?: unknown;
  readonly baseUrl?: string;
}

/** The best of what is left of a body: its bytes, the unread stream, then what a parser made of it. */
export function bodyLeft(request: ParsedRequest): EdgeBody {
  if (request.rawBody instanceof Uint8Array) return request.rawBody;
  // Parsers put `{}` for what they have not read, so the stream is asked, not the body.
  if (!request.readableDidRead) return request;
  if (request.body !== undefined) return request.body as EdgeBody;
  throw new TypeError(
    'The body was read before it came to the edge, and nothing was left in request.body: mount the edge before whatever reads it.',
  );
}

import type { ServerResponse } from 'node:http';
import { acceptRequest } from './accept-request.ts';
import { type EdgeOptions, resolveEdgeOptions } from './edge-options.ts';
import { bodyLeft, type ParsedRequest, send } from './node-edge.ts';

/**
 * Middleware for Express 4 and 5, and for whatever calls its middleware as they do:
 * `app.use(expressEdge({ outbox, topic: 'orders' }))`. Mount it before body parsers: then bodies are
 * kept byte for byte, and limits hold while they come. Behind a parser it keeps what is left.
 */
export function expressEdge<Request extends ParsedRequest = ParsedRequest>(
  given: EdgeOptions<Request>,
): (request: Request, response: ServerResponse, next: (error?: unknown) => void) => void {
  const options = resolveEdgeOptions(given);
  return (request, response, next) => {
    acceptRequest(options, {
      method: request.method ?? 'GET',
      url: request.url ?? '/',
      base: request.baseUrl ?? '',
      headers: request.headers,
      get body() {
        return bodyLeft(request);
      },
      raw: request,
    }).then((answer) => {
      if (answer === undefined) next();
      else send(answer, request, response, options);
    }, next);
  };
}

import type { IncomingMessage } from 'node:http';
import { acceptRequest } from './accept-request.ts';
import { type EdgeOptions, resolveEdgeOptions } from './edge-options.ts';
import type { EdgeBody, EdgeHeaders } from './edge-request.ts';
import { letGo } from './let-go.ts';

/** The part of a Fastify instance that is used; versions 4 and 5 fit. */
export interface FastifyEdgeHost {
  readonly prefix: string;
  removeAllContentTypeParsers(): unknown;
  addContentTypeParser(
    contentType: string,
    parser: (
      request: unknown,
      payload: IncomingMessage,
      done: (error: Error | null, body?: unknown) => void,
    ) => void,
  ): unknown;
  all(
    path: string,
    handler: (request: FastifyEdgeRequest, reply: FastifyEdgeReply) => unknown,
  ): unknown;
}

export interface FastifyEdgeRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: EdgeHeaders;
  readonly body: unknown;
  readonly raw: IncomingMessage;
}

export interface FastifyEdgeReply {
  code(status: number): unknown;
  headers(fields: Record<string, string>): unknown;
  send(body: string): unknown;
  callNotFound(): unknown;
}

/**
 * A plugin for Fastify: `app.register(fastifyEdge({ outbox, topic: 'orders' }))`. Within it, and only
 * there, content-type parsers are set aside: the edge reads the stream itself (what `preParsing`
 * hooks made of it, where there are some), whatever the application has registered.
 */
export function fastifyEdge<Request extends FastifyEdgeRequest = FastifyEdgeRequest>(
  given: EdgeOptions<Request>,
): (app: FastifyEdgeHost) => Promise<void> {
  const options = resolveEdgeOptions(given);
  return async (app) => {
    app.removeAllContentTypeParsers();
    app.addContentTypeParser('*', (_request, payload, done) => done(null, payload));
    const base = app.prefix;
    const handle = async (request: FastifyEdgeRequest, reply: FastifyEdgeReply) => {
      const { method, headers, body, raw } = request;
      const answer = await acceptRequest(options, {
        method,
        url: request.url.slice(base.length),
        base,
        headers,
        body: body as EdgeBody,
        raw: request as Request,
      });
      if (answer === undefined) return reply.callNotFound();
      if (answer.unread) letGo(raw, options.clock);
      reply.code(answer.status);
      reply.headers(answer.headers);
      return reply.send(answer.body);
    };
    app.all(options.path, handle);
    app.all(`${options.path}/*`, handle);
  };
}

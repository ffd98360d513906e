import type { IncomingMessage, ServerResponse } from 'node:http';
import type { HealthAnswer, HealthRoutes } from './health-routes.ts';

/**
 * For `node:http`: answers `GET` and `HEAD` of the three paths and returns true;
 * returns false, and does nothing, for every other request.
 */
export function nodeHealth(
  routes: HealthRoutes,
): (request: IncomingMessage, response: ServerResponse) => boolean {
  return (request, response) => {
    if (request.method !== 'GET' && request.method !== 'HEAD') return false;
    const answer = routes.answer(pathOf(request.url ?? '/'));
    if (answer === undefined) return false;
    void answer
      .catch((error: unknown): HealthAnswer => {
        // `circuits` is the service's own code, and its mistake must not end the process.
        return { status: 503, body: { status: 'unhealthy', error: String(error) } };
      })
      .then((health) => send(health, response));
    return true;
  };
}

/** Express-style middleware: what is not a health request goes on to `next`. */
export function expressHealth(
  routes: HealthRoutes,
): (request: IncomingMessage, response: ServerResponse, next: () => void) => void {
  const handle = nodeHealth(routes);
  return (request, response, next) => {
    if (!handle(request, response)) next();
  };
}

/** The part of a Fastify instance that is used; any version from 4 fits. */
export interface FastifyLike {
  get(path: string, handler: (request: unknown, reply: FastifyReplyLike) => unknown): unknown;
}

export interface FastifyReplyLike {
  code(status: number): unknown;
  header(name: string, value: string): unknown;
}

/** Adds the three routes to a Fastify instance: `fastifyHealth(app, routes)`. */
export function fastifyHealth(fastify: FastifyLike, routes: HealthRoutes): void {
  for (const path of ['/health', '/ready', '/live']) {
    fastify.get(path, async (_request, reply) => {
      const { status, body } = await routes.answer(path)!;
      reply.code(status);
      reply.header('cache-control', 'no-store');
      return body;
    });
  }
}

function pathOf(url: string): string {
  const end = url.indexOf('?');
  return end === -1 ? url : url.slice(0, end);
}

/** Node itself leaves the body out of an answer to `HEAD`. */
function send({ status, body }: HealthAnswer, response: ServerResponse): void {
  const json = JSON.stringify(body);
  response.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(json),
    'cache-control': 'no-store',
  });
  response.end(json);
}

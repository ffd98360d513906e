import { registry } from '@holdfast/core';
import { circuitsOf, fastifyHealth, type HealthCheck, healthRoutes } from '@holdfast/http';
import Fastify, { type FastifyInstance } from 'fastify';

export interface ServiceOptions {
  /** As `/health` names it. */
  readonly name: string;
  /** What it cannot work without, by name: while one fails the service is not ready. */
  readonly needs?: Readonly<Record<string, HealthCheck>>;
  /** What it can be without for a while: then it is degraded. */
  readonly watches?: Readonly<Record<string, HealthCheck>>;
  /** Takes the place of the usual `/health`. */
  readonly health?: () => Promise<object>;
  /** Larger bodies get 413. @default 1 MiB */
  readonly bodyBytes?: number;
}

/**
 * A Fastify app as every service here has it: `/live` says that the process
 * runs, `/ready` whether it can work now, `/health` what is the matter if not;
 * every error is JSON with one sentence.
 */
export function service(options: ServiceOptions): FastifyInstance {
  const { name, needs = {}, watches = {}, health, bodyBytes = 1_048_576 } = options;
  const app = Fastify({
    bodyLimit: bodyBytes,
    // A client that stops sending half way is let go.
    requestTimeout: 30_000,
    forceCloseConnections: 'idle',
  });

  const routes = healthRoutes({
    service: name,
    checks: needs,
    optionalChecks: watches,
    circuits: () => circuitsOf(registry),
    cacheMs: 250,
  });
  if (health === undefined) fastifyHealth(app, routes);
  else {
    app.get('/health', health);
    app.get('/ready', async (_request, reply) => {
      const { status, body } = await routes.ready();
      return reply.code(status).send(body);
    });
    app.get('/live', () => routes.live().body);
  }

  app.setNotFoundHandler((request, reply) =>
    reply.code(404).send({ error: `No route ${request.method} ${request.url}` }),
  );
  app.setErrorHandler((error: Error & { statusCode?: number }, _request, reply) => {
    const { status, body } = describeError(error);
    if (status === 500) process.stderr.write(`${error.stack}\n`);
    return reply.code(status).send(body);
  });
  return app;
}

/** Which status and body an error gets. What nobody foresaw is 500, and its text stays inside. */
function describeError(error: Error & { statusCode?: number; code?: string }): {
  status: number;
  body: object;
} {
  if (error.code === 'DATABASE_UNAVAILABLE') {
    const reason = 'reason' in error ? error.reason : undefined; // left out where undefined
    return { status: 503, body: { error: 'Database unavailable', reason } };
  }
  if (error.code === 'MESSAGE_TOO_LARGE') return { status: 413, body: { error: error.message } };
  if (error.code?.startsWith('OUTBOX_')) {
    return { status: 503, body: { error: 'Events cannot be kept now', reason: error.message } };
  }
  const status = error.statusCode ?? 500;
  return { status, body: { error: status < 500 ? error.message : 'Internal error' } };
}

/** Lets an app take `application/x-www-form-urlencoded` bodies as well as JSON. */
export function acceptForms(app: FastifyInstance): void {
  app.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'string' },
    (_request, body, done) => done(null, Object.fromEntries(new URLSearchParams(String(body)))),
  );
}

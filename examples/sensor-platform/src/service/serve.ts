import { pipeline, timeout } from '@holdfast/core';
import Fastify, { type FastifyInstance } from 'fastify';

/** Whether something this service needs answers right now. */
export type Check = () => Promise<boolean>;

export interface ServiceOptions {
  /** What it cannot work without, by name: `/ready` and `/health` look at it. */
  readonly needs?: Readonly<Record<string, Check>>;
  /** What it can be without for a while: `/health` alone looks at it. */
  readonly watches?: Readonly<Record<string, Check>>;
  /** More for `/health`, such as circuits and counts. */
  readonly details?: () => object;
  /** Takes the place of the whole of `/health`. */
  readonly health?: () => Promise<object>;
  /** Larger bodies get 413. @default 1 MiB */
  readonly bodyBytes?: number;
}

/**
 * A Fastify app as every service here has it: `/live` says that the process
 * runs, `/ready` whether it can work now, `/health` what is the matter if not;
 * every error is JSON with one sentence.
 */
export function service({
  needs = {},
  watches = {},
  details,
  health,
  bodyBytes = 1_048_576,
}: ServiceOptions = {}): FastifyInstance {
  const app = Fastify({
    bodyLimit: bodyBytes,
    // A client that stops sending half way is let go.
    requestTimeout: 30_000,
    forceCloseConnections: 'idle',
  });

  app.get('/live', () => ({ status: 'alive' }));
  app.get('/ready', async (_request, reply) => {
    const { good, checks } = await look(needs);
    return reply.code(good ? 200 : 503).send({ status: good ? 'ready' : 'not ready', checks });
  });
  app.get('/health', async () => {
    if (health !== undefined) return health();
    const { good, checks } = await look({ ...needs, ...watches });
    return { status: good ? 'healthy' : 'degraded', checks, ...details?.() };
  });

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

// A check that hangs is a check that fails, and soon: someone is looking at the health page.
const looking = pipeline('health', [timeout({ limitMs: 1_000 })]);

async function look(
  checks: Readonly<Record<string, Check>>,
): Promise<{ good: boolean; checks: Record<string, 'up' | 'down'> }> {
  const states = await Promise.all(
    Object.entries(checks).map(async ([name, check]) => {
      const up = await looking.execute(check).catch(() => false);
      return [name, up ? 'up' : 'down'] as const;
    }),
  );
  return { good: states.every(([, state]) => state === 'up'), checks: Object.fromEntries(states) };
}

/** Which status and body an error gets. What nobody foresaw is 500, and its text stays inside. */
export function describeError(error: Error & { statusCode?: number; code?: string }): {
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

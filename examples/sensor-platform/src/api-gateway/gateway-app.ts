import { randomUUID } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import { service } from '../service/serve.ts';
import type { SidecarClient } from '../service/sidecar-client.ts';
import { forwarder, unavailable } from './forwarder.ts';
import type { ProxyReport } from './outside-proxy.ts';
import { askServices, platformHealth } from './platform-health.ts';
import { UPSTREAMS } from './routes.ts';

export interface GatewayOptions {
  readonly sidecar: SidecarClient;
  /** What `GET /proxy` calls. */
  readonly outside: () => Promise<ProxyReport>;
}

/** The one door to the platform. It answers whatever is dead behind it. */
export function gatewayApp({ sidecar, outside }: GatewayOptions): FastifyInstance {
  const forwarders = UPSTREAMS.map((upstream) => ({
    upstream,
    to: forwarder(upstream.name, upstream.app, sidecar),
  }));
  const all = forwarders.map(({ to }) => to);

  const app = service({
    name: 'api-gateway',
    needs: { sidecar: () => sidecar.ping() },
    health: async () => platformHealth(await askServices(sidecar), all),
  });
  // Bodies go through as they came: what they mean is for the services to say.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));

  for (const { upstream, to } of forwarders) {
    for (const [method, url] of upstream.routes) {
      app.route({ method, url, handler: (request, reply) => to.forward(request, reply) });
    }
  }

  const events = all.find(({ name }) => name === 'event');
  if (events === undefined) throw new Error('unreachable: routes.ts lists the event service');
  app.post<{ Body: Buffer | undefined }>('/process', async (request, reply) => {
    const data = readJson(request.body);
    if (data === undefined) return reply.code(400).send({ error: 'The body must be JSON' });
    const id = randomUUID();
    const answer = await events
      .send('/events', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ id, type: 'process.requested', data }),
      })
      .catch(() => undefined);
    if (answer === undefined) return unavailable(reply, 'event');
    reply.code(answer.status).header('content-type', 'application/json');
    if (answer.status !== 202) return reply.send(answer.body);
    return reply.header('event-id', id).send(JSON.stringify({ status: 'accepted' }));
  });

  app.get('/proxy', async (_request, reply) => {
    const { status, body } = await outside();
    return reply.code(status).send(body);
  });

  return app;
}

/** No body is an empty order; undefined is no JSON. */
function readJson(body: Buffer | undefined): unknown {
  if (body === undefined || body.length === 0) return {};
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return undefined;
  }
}

import type { HealthCheck } from '@holdfast/http';
import type { FastifyInstance } from 'fastify';
import { service } from '../service/serve.ts';
import type { EventStore } from './event-store.ts';

const MOST = 1_000;
const USUAL = 100;

export interface SinkAppOptions {
  readonly store: EventStore;
  readonly broker: HealthCheck;
}

/** Shows what arrived at the other end of the broker: the witness that nothing was lost. */
export function sinkApp({ store, broker }: SinkAppOptions): FastifyInstance {
  const app = service({ name: 'event-sink', watches: { broker } });

  app.get<{ Querystring: { after?: string; limit?: string } }>(
    '/events/delivered',
    async (request, reply) => {
      const after = wholeNumber(request.query.after, 0);
      const limit = wholeNumber(request.query.limit, USUAL);
      if (after === undefined || limit === undefined) {
        return reply.code(400).send({ error: 'after and limit must be whole numbers from 0' });
      }
      return store.page(after, Math.min(limit, MOST));
    },
  );
  return app;
}

function wholeNumber(text: string | undefined, otherwise: number): number | undefined {
  if (text === undefined || text === '') return otherwise;
  const value = Number(text);
  return Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}

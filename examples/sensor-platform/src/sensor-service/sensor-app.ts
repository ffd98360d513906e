import { randomUUID } from 'node:crypto';
import type { FastifyInstance, FastifyReply } from 'fastify';
import type { Database } from '../service/database.ts';
import { service } from '../service/serve.ts';
import { type Authentication, bearerToken } from './authenticate.ts';
import { SENSORS } from './sensors.ts';
import { addTest, findTest } from './tests-table.ts';

export interface SensorAppOptions {
  readonly database: Database;
  readonly authenticate: (token: string) => Promise<Authentication>;
  /** Told of each accepted test, so that a worker need not be waited for. */
  readonly onAccepted: () => void;
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Takes sensor tests, answers at once, and says later what came of them. */
export function sensorApp({
  database,
  authenticate,
  onAccepted,
}: SensorAppOptions): FastifyInstance {
  const app = service({
    name: 'sensor-service',
    needs: { database: () => database.ping() },
    bodyBytes: 16_384,
  });

  app.post<{ Params: { type: string } }>('/test/sensor/:type', async (request, reply) => {
    const token = bearerToken(request.headers.authorization);
    if (token === undefined) return unauthorized(reply, 'A bearer token is required');
    const who = await authenticate(token);
    if (who === 'impossible') return reply.code(503).send({ error: 'auth service unavailable' });
    if (!who.verdict.active) return unauthorized(reply, 'The token is not valid');

    const { type } = request.params;
    if (!Object.hasOwn(SENSORS, type)) {
      return reply.code(404).send({ error: 'Unknown sensor type', types: Object.keys(SENSORS) });
    }
    const id = request.headers['idempotency-key'] ?? randomUUID();
    if (typeof id !== 'string' || !UUID.test(id)) {
      return reply.code(400).send({ error: 'Idempotency-Key must be a UUID' });
    }

    await addTest(database, { id, sensorType: type, requestedBy: who.verdict.subject });
    onAccepted();
    return reply.code(202).send({
      test_id: id.toLowerCase(),
      status: 'processing',
      ...(who.degraded && { auth: 'degraded' }),
    });
  });

  app.get<{ Params: { id: string } }>('/test/:id', async (request, reply) => {
    const { id } = request.params;
    const test = UUID.test(id) ? await findTest(database, id) : undefined;
    if (test === undefined) return reply.code(404).send({ error: 'Unknown test' });
    return {
      test_id: test.id,
      sensor_type: test.sensor_type,
      status: test.status,
      ...(test.status === 'completed' && { result: test.result }),
      ...(test.status === 'failed' && { reason: test.reason }),
    };
  });

  return app;
}

function unauthorized(reply: FastifyReply, error: string): FastifyReply {
  return reply.code(401).header('www-authenticate', 'Bearer').send({ error });
}

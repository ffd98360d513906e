import { randomUUID } from 'node:crypto';
import type { HealthCheck } from '@holdfast/http';
import { type Message, type NewMessage, type Outbox, textOf } from '@holdfast/messaging';
import type { FastifyInstance } from 'fastify';
import { service } from '../service/serve.ts';

/** Where the platform's events are published. */
export const TOPIC = 'platform-events';

/** How many events one answer lists. */
const MOST = 1_000;

/** An event as services send it. What it holds beside these fields goes along unread. */
export interface PlatformEvent {
  readonly id?: string;
  readonly type: string;
  readonly test_id?: string | null;
}

export interface EventAppOptions {
  readonly outbox: Outbox;
  readonly broker: HealthCheck;
}

/**
 * Takes events and promises their delivery: 202 is said when they are on disk,
 * never before. An outbox that cannot promise it refuses, and the answer is 503.
 */
export function eventApp({ outbox, broker }: EventAppOptions): FastifyInstance {
  const app = service({ name: 'event-service', watches: { broker }, bodyBytes: 4 * 1_048_576 });

  app.post<{ Body: unknown }>('/events', async (request, reply) => {
    const events = readEvents(request.body);
    if (events === undefined) {
      return reply.code(400).send({ error: 'An event needs a type; its id, if any, is text' });
    }
    const receipts = await outbox.accept(events.map(toMessage));
    return reply.code(202).send({ status: 'accepted', ids: receipts.map(({ id }) => id) });
  });

  const stats = async () => {
    const { queued, successful, dead, oldestMs } = await outbox.stats();
    return { queued, successful, dead, oldest_ms: oldestMs };
  };
  app.get('/kafka/stats', stats);
  app.get('/events/stats', stats);

  app.get('/events/queued', async () => {
    const { messages } = await outbox.waiting({ limit: MOST });
    return { events: messages.map(describe) };
  });
  app.get('/events/dead', async () => {
    const { letters } = await outbox.dead.list({ limit: MOST });
    return { events: letters.map(({ message, reason }) => ({ ...describe(message), reason })) };
  });

  return app;
}

/** One event, or `{ "events": [ … ] }`; undefined for anything else. */
export function readEvents(body: unknown): PlatformEvent[] | undefined {
  const list = isObject(body) && Array.isArray(body.events) ? body.events : [body];
  return list.every(isEvent) ? list : undefined;
}

function isEvent(value: unknown): value is PlatformEvent {
  return (
    isObject(value) &&
    typeof value.type === 'string' &&
    (value.id === undefined || (typeof value.id === 'string' && value.id.length > 0))
  );
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

/** One key for all: they leave in the order in which they were accepted. */
function toMessage(event: PlatformEvent): NewMessage {
  const id = event.id ?? randomUUID();
  return { id, topic: TOPIC, key: 'platform', body: JSON.stringify({ ...event, id }) };
}

function describe(message: Pick<Message, 'id' | 'body'>): { id: string; test_id: string | null } {
  const { test_id = null } = JSON.parse(textOf(message)) as PlatformEvent;
  return { id: message.id, test_id };
}

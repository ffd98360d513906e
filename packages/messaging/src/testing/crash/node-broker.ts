import type { Pool } from 'pg';
import type { Broker } from '../../broker.ts';
import { kafkaBroker } from '../../kafka/index.ts';
import { postgresBroker } from '../../postgres-broker/index.ts';

export interface NodeBrokerOptions {
  readonly pool: Pool;
  /** Of the database, or the name that keeps one test's topic from the next. */
  readonly schema: string;
  readonly name: string;
  /** What a node that dies holds waits this long. */
  readonly holdMs: number;
}

/** The broker of a node: `where` is `postgres`, in the node's own database, or `kafka://HOST:PORT`. */
export async function nodeBroker(
  where: string,
  { holdMs, name, pool, schema }: NodeBrokerOptions,
): Promise<Broker> {
  if (where.startsWith('kafka:')) {
    return kafkaBroker({
      kafka: await import('@platformatic/kafka'),
      bootstrap: [new URL(where).host],
      clientId: `${name}-${schema}`,
      sessionTimeoutMs: holdMs,
      timeoutMs: 5_000,
      reconnectMs: 50,
    });
  }
  return postgresBroker({
    pool,
    schema,
    clientId: name,
    claimMs: holdMs,
    timeoutMs: 5_000,
    reconnectMs: 50,
    pollMs: 100,
    // Few may wait for the workers; the rest stays in the outbox, and holds the producers.
    maxMessages: 200,
  });
}

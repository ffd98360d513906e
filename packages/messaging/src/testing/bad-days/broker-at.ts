import type { Broker } from '../../broker.ts';
import { jetstreamBroker } from '../../jetstream/index.ts';
import { kafkaBroker } from '../../kafka/index.ts';
import { mqttBroker } from '../../mqtt/index.ts';
import { postgresBroker } from '../../postgres-broker/index.ts';
import { rabbitBroker } from '../../rabbitmq/index.ts';
import { redisStreamsBroker } from '../../redis-streams/index.ts';
import { sqliteBroker } from '../../sqlite-broker/index.ts';

/** Short waits, the same in every process of a test. */
const HASTE = { timeoutMs: 5_000, reconnectMs: 100 };

/**
 * A client of the broker at an address, in this process or in one that a test starts: the address is
 * all that it has to be told. `sqlite:FILE`, `postgres://…?schema=NAME` and `amqp://…?queue=quorum` beside those of the servers.
 */
export async function brokerAt(url: string, clientId: string): Promise<Broker> {
  const { protocol, host, pathname, searchParams } = new URL(url);
  switch (protocol) {
    case 'kafka:': {
      const kafka = await import('@platformatic/kafka');
      // Kafka itself allows no shorter session.
      return kafkaBroker({ kafka, bootstrap: [host], clientId, sessionTimeoutMs: 6_000, ...HASTE });
    }
    case 'nats:': {
      const [nats, jetstream] = [
        await import('@nats-io/transport-node'),
        await import('@nats-io/jetstream'),
      ];
      return jetstreamBroker({
        nats,
        jetstream,
        servers: [url],
        clientId,
        ackWaitMs: 2_000,
        ...HASTE,
      });
    }
    case 'amqp:': {
      const amqp = await import('amqplib');
      // Quorum queues that were made just before a kill are another matter: `rabbitmq/settle.test.ts`.
      const queueType = searchParams.get('queue') === 'quorum' ? 'quorum' : 'classic';
      return rabbitBroker({ amqp, url, clientId, queueType, settleMs: 0, ...HASTE });
    }
    case 'redis:': {
      const redis = await import('ioredis');
      return redisStreamsBroker({ redis, url, clientId, claimIdleMs: 2_000, ...HASTE });
    }
    case 'mqtt:': {
      const mqtt = await import('mqtt');
      return mqttBroker({ mqtt, url, clientId, ...HASTE });
    }
    case 'postgres:': {
      const { Pool } = await import('pg');
      const pool = new Pool({ connectionString: url, max: 4, allowExitOnIdle: true });
      // A connection that the server ends while nobody uses it is no end of this process.
      pool.on('error', () => {});
      const schema = searchParams.get('schema') ?? 'holdfast';
      return postgresBroker({ pool, schema, clientId, claimMs: 2_000, pollMs: 200, ...HASTE });
    }
    case 'sqlite:':
      return sqliteBroker({ path: pathname, leaseMs: 2_000, timeoutMs: 5_000 });
    default:
      throw new Error(`unreachable: no broker speaks ${protocol}`);
  }
}

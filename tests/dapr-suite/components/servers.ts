import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { kafkaProblem, startKafka } from '@holdfast/messaging/testing/kafka';
import {
  mosquittoServer,
  natsServer,
  postgresServer,
  rabbitServer,
  redisServer,
  Unavailable,
} from '@holdfast/test-servers';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import pg from 'pg';

/** What a component of the suite may need. */
export type ServerName = 'redis' | 'postgres' | 'kafka' | 'rabbitmq' | 'nats' | 'mosquitto';

/** A server that runs, where Dapr's files of components look for it and where it is. */
export interface ServerHere {
  readonly addresses: Readonly<Record<string, string>>;
  end(): Promise<void>;
}

/** Starts one; a string says why it cannot be had. */
export const START: Record<ServerName, () => Promise<ServerHere | string>> = {
  redis: async () => {
    const server = await redisServer();
    if (server instanceof Unavailable) return server.why;
    const at = `127.0.0.1:${server.process.port}`;
    return here({ 'localhost:6379': at, 'localhost:6380': at }, () => server.process.remove());
  },
  postgres: async () => {
    const server = await postgresServer();
    if (server instanceof Unavailable) return server.why;
    const client = new pg.Client({ connectionString: server.url });
    await client.connect();
    await client.query('CREATE DATABASE dapr_test');
    await client.end();
    const addresses = { 'host=localhost': 'host=127.0.0.1', 'port=5432': `port=${server.port}` };
    return here(addresses, () => server.process.remove());
  },
  kafka: async () => {
    const problem = await kafkaProblem();
    if (problem !== undefined) return problem;
    const dataDir = await mkdtemp(path.join(tmpdir(), 'holdfast-kafka-'));
    const server = await startKafka({ dataDir });
    const at = `127.0.0.1:${server.port}`;
    return here({ 'localhost:9092': at, 'localhost:9093': at }, async () => {
      await server.kill();
      await rm(dataDir, { recursive: true, force: true });
    });
  },
  rabbitmq: async () => {
    const server = await rabbitServer();
    if (server instanceof Unavailable) return server.why;
    return here({ 'localhost:5672': `127.0.0.1:${server.port}` }, () => server.process.remove());
  },
  nats: async () => {
    const server = await natsServer();
    if (server instanceof Unavailable) return server.why;
    await addStream(server.url);
    return here({ 'localhost:4222': `127.0.0.1:${server.port}` }, () => server.process.remove());
  },
  mosquitto: async () => {
    const server = await mosquittoServer();
    if (server instanceof Unavailable) return server.why;
    const at = `127.0.0.1:${server.port}`;
    return here({ 'localhost:1883': at, 'localhost:1884': at }, () => server.process.remove());
  },
};

/** The component makes consumers, and leaves streams to who runs the server. */
async function addStream(servers: string): Promise<void> {
  const connection = await connect({ servers });
  const manager = await jetstreamManager(connection);
  await manager.streams.add({
    name: 'components',
    subjects: ['testTopic', 'multiTopic1', 'multiTopic2'],
  });
  await connection.close();
}

function here(addresses: Readonly<Record<string, string>>, end: () => Promise<void>): ServerHere {
  return { addresses, end };
}

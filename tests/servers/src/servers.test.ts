import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Redis } from 'ioredis';
import pg from 'pg';
import { natsServer } from './nats.ts';
import { postgresServer } from './postgres.ts';
import { rabbitServer } from './rabbitmq.ts';
import { redisServer } from './redis.ts';
import { withServer } from './with-server.ts';

test('a Redis that is killed comes back with what it acknowledged', async (t) => {
  const server = await withServer(t, redisServer);
  if (server === undefined) return;
  const client = new Redis(server.url);
  t.after(() => client.disconnect());
  client.on('error', () => {});
  await client.set('kept', 'yes');

  await server.process.kill();
  await server.process.restart();

  assert.equal(await client.get('kept'), 'yes');
});

test('a PostgreSQL that is killed comes back with what it committed', async (t) => {
  const server = await withServer(t, postgresServer);
  if (server === undefined) return;
  const query = async (text: string) => {
    const client = new pg.Client(server.url);
    client.on('error', () => {});
    await client.connect();
    return client.query(text).finally(() => client.end());
  };
  await query('CREATE TABLE kept AS SELECT 1 AS one');

  await server.process.kill();
  await server.process.restart();

  assert.deepEqual((await query('SELECT one FROM kept')).rows, [{ one: 1 }]);
});

test('a NATS server starts, stops and starts again on its port', async (t) => {
  const server = await withServer(t, natsServer);
  if (server === undefined) return;
  const { process } = server;
  const first = process.pid();

  await process.stop();
  await process.restart();

  assert.notEqual(process.pid(), first);
});

test('a RabbitMQ that is killed starts again on its port', async (t) => {
  const server = await withServer(t, rabbitServer);
  if (server === undefined) return;
  const { process } = server;
  const first = process.pid();

  await process.kill();
  await process.restart();

  assert.notEqual(process.pid(), first);
});

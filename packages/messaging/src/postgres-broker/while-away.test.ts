import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '@holdfast/test-servers';
import { Client, type PoolConfig } from 'pg';
import { BrokerUnavailableError } from '../errors.ts';
import type { OutgoingMessage } from '../message.ts';
import { eventually } from '../testing/eventually.ts';
import { postgresSuite } from '../testing/servers/postgres-suite.ts';
import { type PostgresBroker, postgresBroker } from './postgres-broker.ts';

await postgresSuite('the broker while PostgreSQL is away', ({ server, newPool, newSchema }) => {
  test('a database that hangs is given up on within the time limit; all goes on by itself when it does', async (t) => {
    const { broker, got } = await begin(t, 1_500);
    t.after(() => server.process.signal('SIGCONT'));
    const pids = await backends();
    for (const pid of pids) process.kill(pid, 'SIGSTOP');
    server.process.signal('SIGSTOP');

    const refusal = await broker.publish([message('hung')]).catch((error: unknown) => error);
    for (const pid of pids) process.kill(pid, 'SIGCONT');
    server.process.signal('SIGCONT');
    await published(broker, 'after');
    await arrived(got, 'after');

    assert.ok(refusal instanceof BrokerUnavailableError, String(refusal));
    assert.match(
      refusal.message,
      /^The database of broker schema "test_\d+" cannot be reached\. \(timeout: no answer within 1500 ms\)/,
    );
  });

  test('a database that became a standby is told of, and let go: the next connection may lead to the primary', async (t) => {
    // A single connection: nothing but letting it go makes another one.
    const { broker, got } = await begin(t, 10_000, async () => {}, { max: 1 });
    const admin = new Client({ connectionString: server.url });
    await admin.connect();
    await admin.query('ALTER DATABASE postgres SET default_transaction_read_only = on');
    t.after(async () => {
      await admin.query('SET default_transaction_read_only = off');
      await admin.query('ALTER DATABASE postgres RESET default_transaction_read_only');
      await admin.end();
    });
    // New connections are those of a standby.
    await admin.query(
      'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE client_port IS NOT NULL AND pid <> pg_backend_pid()',
    );
    const refusal = await eventually(
      () => broker.publish([message('refused')]).catch((error: Error) => error.message),
      (text) => /standby/.test(String(text)),
      'it is read-only',
    );
    await admin.query('SET default_transaction_read_only = off');
    // Connections that are open would stay read-only for ever.
    await admin.query('ALTER DATABASE postgres RESET default_transaction_read_only');
    await published(broker, 'after');
    await arrived(got, 'after');

    assert.match(
      String(refusal),
      /^The database of broker schema "test_\d+" is read-only: this is a standby\. Connect to the primary\./,
    );
    assert.deepEqual([...new Set(got)], ['before', 'after']);
  });

  test('what was handled while the database was away is acknowledged when it is back', async (t) => {
    const handling = Promise.withResolvers<void>();
    t.after(() => handling.resolve());
    const { broker, got, schema, pool } = await begin(t, 5_000, async (id) => {
      if (id === 'slow') await handling.promise;
    });
    await broker.publish([message('slow')]);
    await arrived(got, 'slow');
    await server.process.kill();
    handling.resolve();
    const up = () =>
      server.process.restart().then(
        () => 'up',
        (error: Error) => error.message,
      );
    await eventually(up, (answer) => answer === 'up', 'PostgreSQL serves again');
    await published(broker, 'after');
    await arrived(got, 'after');
    await eventually(
      async () => (await pool.query(`SELECT id FROM ${schema}.broker_delivery`)).rows,
      (waiting) => waiting.length === 0,
      'nothing waits',
    );
  });

  test('what was handled while the database was away came again by a member that was back sooner; its claim is good for a while', async (t) => {
    const schema = newSchema();
    const claimMs = 4_000;
    const member = async (reconnectMs: number, handler: (id: string) => Promise<void>) => {
      const broker = postgresBroker({ pool: newPool(), schema, claimMs, reconnectMs });
      t.after(() => broker.close());
      await broker.subscribe('orders', { group: 'g' }, ({ id }) => handler(id));
      return broker;
    };
    const handling = Promise.withResolvers<void>();
    t.after(() => handling.resolve());
    const [slow, quick]: [string[], string[]] = [[], []];
    const broker = await member(200, async (id) => {
      slow.push(id);
      await handling.promise;
    });
    await published(broker, 'before');
    await arrived(slow, 'before');
    await member(10, async (id) => void quick.push(id));
    // Claims are not flushed: what a crashed server has forgotten nobody can spare.
    await newPool().query('CHECKPOINT');

    await server.process.kill();
    handling.resolve();
    // Its claim lapses: nobody can renew it.
    await sleep(claimMs + 200);
    const up = () =>
      server.process.restart().then(
        () => 'up',
        (error: Error) => error.message,
      );
    await eventually(up, (answer) => answer === 'up', 'PostgreSQL serves again');
    const pool = newPool();
    await eventually(
      async () => (await pool.query(`SELECT id FROM ${schema}.broker_delivery`)).rows,
      (waiting) => waiting.length === 0,
      'it is acknowledged',
    );

    assert.deepEqual([slow, quick], [['before'], []]);
  });

  test('a subscription begun while there is no database begins when there is one, and can be closed before', async (t) => {
    const nowhere = { connectionString: undefined, host: '127.0.0.1', user: 'nobody' };
    const pool = newPool({ ...nowhere, port: await freePort() });
    const broker = postgresBroker({ pool, timeoutMs: 1_000, reconnectMs: 10 });
    t.after(() => broker.close());
    const lost = Promise.withResolvers<unknown>();
    const onProblem = ({ error }: { readonly error: unknown }) => lost.resolve(error);
    const subscribed = broker.subscribe('orders', { group: 'g', onProblem }, async () => {});
    const refused = assert.rejects(subscribed, { message: /^"orders" is no longer asked for/ });

    assert.match(
      String(await lost.promise),
      /The group "g" of "orders" is not served: The database of broker schema "holdfast" cannot be reached/,
    );
    await broker.close();
    await refused;
  });

  async function begin(
    t: { after(end: () => Promise<unknown>): void },
    timeoutMs: number,
    then: (id: string) => Promise<void> = async () => {},
    config: PoolConfig = {},
  ) {
    const [pool, schema] = [newPool(config), newSchema()];
    const broker = postgresBroker({ pool, schema, timeoutMs, reconnectMs: 50 });
    t.after(() => broker.close());
    const got: string[] = [];
    await broker.subscribe('orders', { group: 'g' }, async ({ id }) => {
      got.push(id);
      await then(id);
    });
    await published(broker, 'before');
    await arrived(got, 'before');
    return { broker, got, schema, pool };
  }

  async function backends(): Promise<readonly number[]> {
    const client = new Client({ connectionString: server.url });
    await client.connect();
    const { rows } = await client.query(
      'SELECT pid FROM pg_stat_activity WHERE client_port IS NOT NULL AND pid <> pg_backend_pid()',
    );
    await client.end();
    return rows.map(({ pid }) => pid);
  }
});

function message(id: string): OutgoingMessage {
  return { id, topic: 'orders', key: 'k', body: Buffer.from(id), headers: {} };
}

function published(broker: PostgresBroker, id: string) {
  return eventually(
    () =>
      broker.publish([message(id)]).then(
        () => true,
        () => false,
      ),
    (done) => done,
    'publishing works',
  );
}

function arrived(got: readonly string[], id: string) {
  return eventually(
    () => got.includes(id),
    (there) => there,
    `${id} arrives`,
  );
}

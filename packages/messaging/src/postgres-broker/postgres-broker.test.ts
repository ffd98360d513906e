import assert from 'node:assert/strict';
import { test } from 'node:test';
import { postgresStore } from '../postgres/index.ts';
import { brokerContract } from '../testing/contracts/broker-contract.ts';
import { eventually } from '../testing/eventually.ts';
import { arrived, beginBroker, order, record } from '../testing/servers/postgres-broker-suite.ts';
import { postgresSuite } from '../testing/servers/postgres-suite.ts';
import { postgresBroker } from './postgres-broker.ts';

await postgresSuite('the broker on PostgreSQL', (suite) => {
  const { server, pool, newPool, newSchema } = suite;

  brokerContract('postgresBroker', async () => ({
    connect: (clientId) =>
      postgresBroker({
        pool: newPool(),
        clientId,
        timeoutMs: 5_000,
        reconnectMs: 100,
        claimMs: 2_000,
      }),
    tooLargeBytes: 1_100_000,
    kill: () => server.process.kill(),
    // What is left of the killed server may hold its shared memory for a moment.
    start: async () => {
      const up = () =>
        server.process.restart().then(
          () => 'up',
          (error: Error) => error.message,
        );
      await eventually(up, (answer) => answer === 'up', 'PostgreSQL serves again');
    },
  }));

  test('a message for a topic nobody has subscribed to is postponed, or dropped where that is wanted', async (t) => {
    const { broker, another } = beginBroker(t, suite);
    const lax = another({ requireSubscriber: false });

    await assert.rejects(broker.publish([order('m')]), {
      code: 'BROKER_REJECTED',
      postponed: new Map([['m', 'nobody has subscribed to "orders" yet']]),
      taken: new Set(),
    });
    await lax.publish([order('m')]);
    const { got } = await record(broker);
    await broker.publish([order('m'), order('n')]);
    await arrived(got, 2);

    assert.deepEqual(got, ['m', 'n']);
  });

  test('a group that has as much waiting as it may has messages of its topic postponed until it has caught up', async (t) => {
    const { broker } = beginBroker(t, suite, { maxMessages: 3 });
    const away = await record(broker);
    await away.close();
    const publish = (...ids: string[]) => broker.publish(ids.map((id) => order(id)));

    const refusal = await publish('a', 'b', 'c', 'd', 'e').catch((error: unknown) => error);
    const { got } = await record(broker);
    await arrived(got, 3);
    await eventually(
      () =>
        publish('d', 'e').then(
          () => true,
          () => false,
        ),
      (published) => published,
      'there is room again',
    );
    await arrived(got, 5);

    const { postponed, taken } = refusal as { postponed: Map<string, string>; taken: Set<string> };
    const why =
      'the group "g" of "orders" has no room: 3 messages may wait for it (postgresBroker.maxMessages)';
    assert.deepEqual([...postponed.keys(), ...taken], ['d', 'e', 'a', 'b', 'c']);
    assert.equal(postponed.get('d'), why);
    assert.deepEqual(got, ['a', 'b', 'c', 'd', 'e']);
  });

  test('a row and its message commit together, or neither is there', async (t) => {
    const { broker } = beginBroker(t, suite);
    const { got } = await record(broker);
    const table = newSchema();
    await pool.query(`CREATE TABLE ${table} (id text)`);
    const commit = async (id: string, end: 'COMMIT' | 'ROLLBACK') => {
      const client = await pool.connect();
      await client.query('BEGIN');
      await client.query(`INSERT INTO ${table} VALUES ($1)`, [id]);
      await broker.publishIn(client, [{ id, topic: 'orders', body: id }]);
      await client.query(end);
      client.release();
    };

    await commit('order-1', 'ROLLBACK');
    await commit('order-2', 'COMMIT');
    await arrived(got, 1);

    assert.deepEqual(got, ['order-2']);
    assert.deepEqual((await pool.query(`SELECT id FROM ${table}`)).rows, [{ id: 'order-2' }]);
  });

  test('a transaction that stays open keeps nobody waiting, and its message comes when it commits', async (t) => {
    const { broker } = beginBroker(t, suite);
    const { got } = await record(broker);
    const client = await pool.connect();
    await client.query('BEGIN');
    await broker.publishIn(client, [{ id: 'early', topic: 'orders', key: 'k', body: 'x' }]);
    const late = Array.from({ length: 50 }, (_, n) => order(`late-${n}`, 'k'));

    await broker.publish(late);
    await arrived(got, 50);
    await client.query('COMMIT');
    client.release();
    await arrived(got, 51);

    assert.deepEqual(got, [...late.map(({ id }) => id), 'early']);
  });

  test('an id is taken once within the window, however often it is published', async (t) => {
    const { broker, another } = beginBroker(t, suite);
    const forgetful = another({ duplicateWindowMs: 0 });
    const { got } = await record(broker);

    await broker.publish([order('a'), order('a'), order('b')]);
    await broker.publish([order('a'), order('c')]);
    await forgetful.publish([order('c')]);
    await broker.publish([order('d')]);
    await arrived(got, 5);

    assert.deepEqual(got.toSorted(), ['a', 'b', 'c', 'c', 'd']);
  });

  test('ids older than the window are forgotten, some at a time', async (t) => {
    const { broker, schema } = beginBroker(t, suite, { duplicateWindowMs: 1 });
    const { got } = await record(broker);
    for (let n = 0; n < 4; n += 1) {
      await broker.publish(Array.from({ length: 300 }, (_, m) => order(`${n}-${m}`)));
    }
    await arrived(got, 1_200);

    const { rows } = await pool.query(`SELECT count(*)::integer AS n FROM ${schema}.broker_known`);
    assert.ok(rows[0].n < 1_200, `${rows[0].n} are known`);
  });

  test('a group that is forgotten has nothing waiting, and begins anew', async (t) => {
    const { broker } = beginBroker(t, suite);
    const away = await record(broker);
    await away.close();
    await broker.publish(['a', 'b'].map((id) => order(id)));

    const forgotten = [
      await broker.forgetGroup('orders', 'g'),
      await broker.forgetGroup('orders', 'g'),
    ];
    const { got } = await record(broker);
    await broker.publish([order('c')]);
    await arrived(got, 1);

    assert.deepEqual([forgotten, got], [[2, 0], ['c']]);
  });

  test('twelve processes that start at once make the tables once, beside those of an outbox in the same schema', async (t) => {
    const { schema, another } = beginBroker(t, suite);
    const store = postgresStore({ pool, schema });
    const brokers = Array.from({ length: 12 }, () => another({ pool: newPool({ max: 2 }) }));

    await Promise.all([store.open(), ...brokers.map((each) => each.open())]);
    const { rows } = await pool.query(
      `SELECT (SELECT count(*)::int FROM ${schema}.version) AS outbox, (SELECT count(*)::int FROM ${schema}.broker_version) AS broker`,
    );

    assert.deepEqual(rows, [{ outbox: 1, broker: 1 }]);
  });

  test('tables of a newer version are left alone, with a message that says what to do', async (t) => {
    const { schema, broker, another } = beginBroker(t, suite);
    await broker.open();
    await pool.query(`UPDATE ${schema}.broker_version SET version = 9`);
    const older = another();

    const what = `The database of broker schema "${schema}" was written by a newer Holdfast (schema 9, this one knows 1). Upgrade this process, or give it another schema.`;
    await assert.rejects(older.publish([order('m')]), {
      code: 'BROKER_UNAVAILABLE',
      message: what,
    });
    await assert.rejects(record(older), {
      code: 'BROKER_UNAVAILABLE',
      message: `The group "g" of "orders" is not served: ${what}`,
    });
  });

  test('claiming under another isolation is told of, with what to do', async (t) => {
    const { another } = beginBroker(t, suite);
    const strict = another({
      pool: newPool({ options: '-c default_transaction_isolation=serializable' }),
    });
    const problem = Promise.withResolvers<unknown>();
    await strict.subscribe(
      'orders',
      { group: 'g', onProblem: ({ error }) => problem.resolve(error) },
      async () => {},
    );

    assert.match(
      String(await problem.promise),
      /default_transaction_isolation=read\\ committed.*not SERIALIZABLE/,
    );
  });

  test('messages PostgreSQL cannot keep, and options that cannot work, are refused by name', async (t) => {
    const { broker } = beginBroker(t, suite);
    await record(broker);
    await assert.rejects(broker.publish([order('a\0b'), order('m', 'k'.repeat(256))]), {
      rejected: new Map([
        ['a\0b', 'its id holds U+0000, which PostgreSQL cannot keep'],
        ['m', 'its key has 256 characters, of at most 255'],
      ]),
    });
    await assert.rejects(
      broker.subscribe('', { group: 'g' }, async () => {}),
      { message: 'Cannot subscribe to "": it is empty.' },
    );
    assert.throws(() => postgresBroker({ pool, schema: 'Orders; DROP' }), {
      message:
        'postgresBroker.schema must be up to 40 lower-case letters, digits and "_", not beginning with a digit, not "Orders; DROP".',
    });
    assert.throws(() => postgresBroker({ pool, claimMs: 100 }), {
      message: 'postgresBroker.claimMs must be a whole number from 200 to 600000, not 100.',
    });
    assert.throws(() => postgresBroker({ pool, clientId: '' }), {
      message: 'postgresBroker.clientId must have 1 to 100 characters, not 0.',
    });
    assert.throws(() => postgresBroker({ pool: newPool({ max: 1 }), listen: true }), {
      message:
        'postgresBroker.listen keeps a connection of its own, and the pool has one only: give the pool `max: 2` or more, or `listen: false`.',
    });
  });
});

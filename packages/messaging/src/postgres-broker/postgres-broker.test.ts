import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { IncomingMessage, OutgoingMessage } from '../message.ts';
import { postgresStore } from '../postgres/index.ts';
import { brokerContract } from '../testing/broker-contract.ts';
import { eventually } from '../testing/eventually.ts';
import { postgresSuite } from '../testing/postgres-suite.ts';
import type { PostgresBrokerOptions } from './options.ts';
import { type PostgresBroker, postgresBroker } from './postgres-broker.ts';

await postgresSuite('the broker on PostgreSQL', ({ server, pool, newPool, newSchema }) => {
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
    const { broker, another } = begin(t);
    const lax = another({ requireSubscriber: false });

    await assert.rejects(broker.publish([message('m')]), {
      code: 'BROKER_REJECTED',
      postponed: new Map([['m', 'nobody has subscribed to "orders" yet']]),
      taken: new Set(),
    });
    await lax.publish([message('m')]);
    const { got } = await record(broker);
    await broker.publish([message('m'), message('n')]);
    await arrived(got, 2);

    assert.deepEqual(got, ['m', 'n']);
  });

  test('a group that has as much waiting as it may has messages of its topic postponed until it has caught up', async (t) => {
    const { broker } = begin(t, { maxMessages: 3 });
    const away = await record(broker);
    await away.close();
    const publish = (...ids: string[]) => broker.publish(ids.map((id) => message(id)));

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
    const { broker } = begin(t);
    const { got } = await record(broker);
    const table = newSchema();
    await pool.query(`CREATE TABLE ${table} (id text)`);
    const order = async (id: string, end: 'COMMIT' | 'ROLLBACK') => {
      const client = await pool.connect();
      await client.query('BEGIN');
      await client.query(`INSERT INTO ${table} VALUES ($1)`, [id]);
      await broker.publishIn(client, [{ id, topic: 'orders', body: id }]);
      await client.query(end);
      client.release();
    };

    await order('order-1', 'ROLLBACK');
    await order('order-2', 'COMMIT');
    await arrived(got, 1);

    assert.deepEqual(got, ['order-2']);
    assert.deepEqual((await pool.query(`SELECT id FROM ${table}`)).rows, [{ id: 'order-2' }]);
  });

  test('a transaction that stays open keeps nobody waiting, and its message comes when it commits', async (t) => {
    const { broker } = begin(t);
    const { got } = await record(broker);
    const client = await pool.connect();
    await client.query('BEGIN');
    await broker.publishIn(client, [{ id: 'early', topic: 'orders', key: 'k', body: 'x' }]);
    const late = Array.from({ length: 50 }, (_, n) => message(`late-${n}`, 'k'));

    await broker.publish(late);
    await arrived(got, 50);
    await client.query('COMMIT');
    client.release();
    await arrived(got, 51);

    assert.deepEqual(got, [...late.map(({ id }) => id), 'early']);
  });

  test('an id is taken once within the window, however often it is published', async (t) => {
    const { broker, another } = begin(t);
    const forgetful = another({ duplicateWindowMs: 0 });
    const { got } = await record(broker);

    await broker.publish([message('a'), message('a'), message('b')]);
    await broker.publish([message('a'), message('c')]);
    await forgetful.publish([message('c')]);
    await broker.publish([message('d')]);
    await arrived(got, 5);

    assert.deepEqual(got.toSorted(), ['a', 'b', 'c', 'c', 'd']);
  });

  test('ids older than the window are forgotten, some at a time', async (t) => {
    const { broker, schema } = begin(t, { duplicateWindowMs: 1 });
    const { got } = await record(broker);
    for (let n = 0; n < 4; n += 1) {
      await broker.publish(Array.from({ length: 300 }, (_, m) => message(`${n}-${m}`)));
    }
    await arrived(got, 1_200);

    const { rows } = await pool.query(`SELECT count(*)::integer AS n FROM ${schema}.broker_known`);
    assert.ok(rows[0].n < 1_200, `${rows[0].n} are known`);
  });

  test('a message that never succeeds keeps its key and no other, and its count goes on in another process', async (t) => {
    const { broker, another } = begin(t, { prefetch: 4 });
    const seen: string[] = [];
    const options = { group: 'g', redeliverMs: 10, maxRedeliverMs: 20 };
    const handler = async ({ id, delivery }: IncomingMessage) => {
      if (id === 'poison' && delivery < 4) throw new Error('not yet');
      seen.push(`${id}#${delivery}`);
    };
    const first = await broker.subscribe('orders', options, async (message) => {
      if (message.key === 'bad') throw new Error('not here');
      await handler(message);
    });
    const bad = ['poison', 'b1', 'b2', 'b3', 'b4', 'b5', 'b6', 'b7'].map((id) =>
      message(id, 'bad'),
    );
    const good = Array.from({ length: 8 }, (_, n) => message(`g${n}`, `good-${n % 2}`));
    await broker.publish([...bad, ...good]);
    await eventually(
      () => seen.length,
      (count) => count === 8,
      'all others are handled',
    );
    await first.close();
    const delivered = new Promise<number>((resolve) => {
      void another().subscribe('orders', options, async (message) => {
        if (message.id === 'poison') resolve(message.delivery);
        seen.push(message.id);
      });
    });

    assert.deepEqual(
      seen.slice(0, 8).toSorted(),
      good.map(({ id }) => `${id}#1`),
    );
    assert.ok((await delivered) > 1);
    await eventually(
      () => seen.length,
      (count) => count === 16,
      'the rest is handled',
    );
    assert.deepEqual(
      seen.slice(8),
      bad.map(({ id }) => id),
    );
  });

  test('six members at once: no message twice, no key twice in flight, each key in order', async (t) => {
    const { broker, another } = begin(t);
    const members = Array.from({ length: 6 }, () => another());
    const flying = new Set<string>();
    const order = new Map<string, string[]>();
    const shares = new Map<number, number>();
    const faults: string[] = [];
    let handled = 0;
    for (const [which, member] of members.entries()) {
      await member.subscribe('orders', { group: 'g' }, async ({ id, key = '' }) => {
        if (flying.has(key)) faults.push(`${key} twice in flight`);
        flying.add(key);
        await new Promise((resolve) => setImmediate(resolve));
        flying.delete(key);
        order.set(key, [...(order.get(key) ?? []), id]);
        shares.set(which, (shares.get(which) ?? 0) + 1);
        handled += 1;
      });
    }
    const all = Array.from({ length: 1_200 }, (_, n) =>
      message(`m${String(n).padStart(4, '0')}`, `key-${n % 30}`),
    );
    for (let at = 0; at < all.length; at += 100) await broker.publish(all.slice(at, at + 100));
    await eventually(
      () => handled,
      (count) => count >= 1_200,
      'all are handled',
    );

    assert.deepEqual(faults, []);
    assert.equal(handled, 1_200);
    for (const [key, ids] of order) assert.deepEqual(ids, ids.toSorted(), key);
    assert.ok(shares.size > 1, 'they share');
    t.diagnostic(`shares: ${[...shares.values()].join(' + ')}`);
  });

  test('what a dead member had is taken over when its claim is over, in order', async (t) => {
    const { broker, schema } = begin(t);
    const away = await record(broker);
    await away.close();
    await broker.publish(['a', 'b', 'c', 'd'].map((id) => message(id, 'k')));
    await pool.query(
      `SELECT ${schema}.broker_take((SELECT id FROM ${schema}.broker_group), 'dead', 2, 1500, true, '{}')`,
    );

    const { got } = await record(broker);
    await arrived(got, 4);

    assert.deepEqual(got, ['a', 'b', 'c', 'd']);
  });

  test('a handler may take several times as long as a claim: nobody else gets its message, and what waited behind it goes to others', async (t) => {
    const working = Promise.withResolvers<void>();
    t.after(() => working.resolve());
    const { broker, another } = begin(t, { claimMs: 600, pollMs: 50 });
    const got: string[] = [];
    const handler = async ({ id }: IncomingMessage) => {
      got.push(id);
      if (id === 'long') await working.promise;
    };
    await broker.subscribe('orders', { group: 'g' }, handler);
    await broker.publish([message('long', 'k'), message('behind', 'k'), message('beside', 'b')]);
    await arrived(got, 1);
    await another().subscribe('orders', { group: 'g' }, handler);
    for (let n = 0; n < 12; n += 1) {
      await broker.publish([message(`other-${n}`, 'o')]);
      await arrived(got, n + 3);
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    const before = got.filter((id) => !id.startsWith('other'));
    working.resolve();
    await arrived(got, 15);

    assert.deepEqual(before, ['long', 'beside']);
    assert.deepEqual([got.length, got.at(-1)], [15, 'behind']);
  });

  test('who has lost a claim to somebody else acknowledges nothing', async (t) => {
    const { broker, schema } = begin(t, { claimMs: 600_000 });
    const begun = Promise.withResolvers<void>();
    const working = Promise.withResolvers<void>();
    const subscription = await broker.subscribe('orders', { group: 'g' }, async () => {
      begun.resolve();
      await working.promise;
    });
    await broker.publish([message('m')]);
    await begun.promise;
    await pool.query(`UPDATE ${schema}.broker_claim SET holder = 'somebody else'`);
    working.resolve();
    await subscription.close();

    const { rows } = await pool.query(`SELECT id FROM ${schema}.broker_delivery`);
    assert.deepEqual(rows, [{ id: 'm' }]);
  });

  test('a member hears at once of what is published, and again after its connection was cut; without listening it polls', async (t) => {
    const { broker, another, schema } = begin(t);
    const waiting = another({ pollMs: 600_000 });
    const polling = another({ listen: false, pollMs: 20, pool: newPool({ max: 1 }) });
    const heard = await record(waiting, 'heard');
    const polled = await record(polling, 'polled');
    const listeners = async () => {
      const { rows } = await pool.query(
        `SELECT pid FROM pg_stat_activity WHERE query = 'LISTEN "holdfast_${schema}_broker"'`,
      );
      return rows.map(({ pid }) => pid as number);
    };
    const [first] = await eventually(listeners, (pids) => pids.length === 1, 'it listens');

    await broker.publish([message('a')]);
    await arrived(heard.got, 1);
    await pool.query('SELECT pg_terminate_backend($1)', [first]);
    await eventually(
      listeners,
      (pids) => pids.length === 1 && pids[0] !== first,
      'it listens again',
    );
    await broker.publish([message('b')]);
    await arrived(heard.got, 2);
    await arrived(polled.got, 2);

    assert.deepEqual(
      [heard.got, polled.got],
      [
        ['a', 'b'],
        ['a', 'b'],
      ],
    );
  });

  test('a group that is forgotten has nothing waiting, and begins anew', async (t) => {
    const { broker } = begin(t);
    const away = await record(broker);
    await away.close();
    await broker.publish(['a', 'b'].map((id) => message(id)));

    const forgotten = [
      await broker.forgetGroup('orders', 'g'),
      await broker.forgetGroup('orders', 'g'),
    ];
    const { got } = await record(broker);
    await broker.publish([message('c')]);
    await arrived(got, 1);

    assert.deepEqual([forgotten, got], [[2, 0], ['c']]);
  });

  test('members of one group agree about order for as long as one has something in hand', async (t) => {
    const { broker, another } = begin(t);
    const begun = Promise.withResolvers<void>();
    const working = Promise.withResolvers<void>();
    const first = await broker.subscribe('orders', { group: 'g' }, async () => {
      begun.resolve();
      await working.promise;
    });
    await broker.publish([message('m')]);
    await begun.promise;
    const parallel = () =>
      another().subscribe('orders', { group: 'g', concurrency: 4 }, async () => {});

    await assert.rejects(parallel(), {
      code: 'BROKER_UNAVAILABLE',
      message:
        'The group "g" of "orders" is not served: its members handle messages with a concurrency of 1, this one wants above 1. End them first',
    });
    working.resolve();
    await first.close();
    await parallel();
  });

  test('twelve processes that start at once make the tables once, beside those of an outbox in the same schema', async (t) => {
    const { schema, another } = begin(t);
    const store = postgresStore({ pool, schema });
    const brokers = Array.from({ length: 12 }, () => another({ pool: newPool({ max: 2 }) }));

    await Promise.all([store.open(), ...brokers.map((each) => each.open())]);
    const { rows } = await pool.query(
      `SELECT (SELECT array_agg(version) FROM ${schema}.version) AS outbox, (SELECT array_agg(version) FROM ${schema}.broker_version) AS broker`,
    );

    assert.deepEqual(rows, [{ outbox: [1], broker: [1] }]);
  });

  test('tables of a newer version are left alone, with a message that says what to do', async (t) => {
    const { schema, broker, another } = begin(t);
    await broker.open();
    await pool.query(`UPDATE ${schema}.broker_version SET version = 9`);
    const older = another();

    const what = `The database of broker schema "${schema}" was written by a newer Holdfast (schema 9, this one knows 1). Upgrade this process, or give it another schema.`;
    await assert.rejects(older.publish([message('m')]), {
      code: 'BROKER_UNAVAILABLE',
      message: what,
    });
    await assert.rejects(record(older), {
      code: 'BROKER_UNAVAILABLE',
      message: `The group "g" of "orders" is not served: ${what}`,
    });
  });

  test('claiming under another isolation is told of, with what to do', async (t) => {
    const { another } = begin(t);
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
    const { broker } = begin(t);
    await record(broker);
    await assert.rejects(broker.publish([message('a\0b'), message('m', 'k'.repeat(256))]), {
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

  function begin(
    t: { after(end: () => Promise<unknown>): void },
    options: Partial<PostgresBrokerOptions> = {},
  ) {
    const schema = newSchema();
    const another = (more: Partial<PostgresBrokerOptions> = {}): PostgresBroker => {
      const broker = postgresBroker({
        pool,
        schema,
        reconnectMs: 50,
        timeoutMs: 30_000,
        ...options,
        ...more,
      });
      t.after(() => broker.close());
      return broker;
    };
    return { schema, broker: another(), another };
  }
});

function message(id: string, key?: string): OutgoingMessage {
  return { id, topic: 'orders', key, body: Buffer.from(id), headers: {} };
}

async function record(broker: PostgresBroker, group = 'g') {
  const got: string[] = [];
  const { close } = await broker.subscribe('orders', { group }, async ({ id }) => {
    got.push(id);
  });
  return { got, close };
}

function arrived(got: readonly string[], count: number) {
  return eventually(
    () => got.length,
    (length) => length >= count,
    `${count} arrive`,
  );
}

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { IncomingMessage } from '../message.ts';
import { eventually } from '../testing/eventually.ts';
import { arrived, beginBroker, order, record } from '../testing/servers/postgres-broker-suite.ts';
import { postgresSuite } from '../testing/servers/postgres-suite.ts';

await postgresSuite('members on PostgreSQL', (suite) => {
  const { pool, newPool } = suite;

  test('a message that never succeeds keeps its key and no other, and its count goes on in another process', async (t) => {
    const { broker, another } = beginBroker(t, suite, { prefetch: 4 });
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
    const bad = ['poison', 'b1', 'b2', 'b3', 'b4', 'b5', 'b6', 'b7'].map((id) => order(id, 'bad'));
    const good = Array.from({ length: 8 }, (_, n) => order(`g${n}`, `good-${n % 2}`));
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
    const { broker, another } = beginBroker(t, suite);
    const members = Array.from({ length: 6 }, () => another());
    const flying = new Set<string>();
    const ofKey = new Map<string, string[]>();
    const shares = new Map<number, number>();
    const faults: string[] = [];
    let handled = 0;
    for (const [which, member] of members.entries()) {
      await member.subscribe('orders', { group: 'g' }, async ({ id, key = '' }) => {
        if (flying.has(key)) faults.push(`${key} twice in flight`);
        flying.add(key);
        await new Promise((resolve) => setImmediate(resolve));
        flying.delete(key);
        ofKey.set(key, [...(ofKey.get(key) ?? []), id]);
        shares.set(which, (shares.get(which) ?? 0) + 1);
        handled += 1;
      });
    }
    const all = Array.from({ length: 1_200 }, (_, n) =>
      order(`m${String(n).padStart(4, '0')}`, `key-${n % 30}`),
    );
    for (let at = 0; at < all.length; at += 100) await broker.publish(all.slice(at, at + 100));
    await eventually(
      () => handled,
      (count) => count >= 1_200,
      'all are handled',
    );

    assert.deepEqual(faults, []);
    assert.equal(handled, 1_200);
    for (const [key, ids] of ofKey) assert.deepEqual(ids, ids.toSorted(), key);
    assert.ok(shares.size > 1, 'they share');
    t.diagnostic(`shares: ${[...shares.values()].join(' + ')}`);
  });

  test('what a dead member had is taken over when its claim is over, in order', async (t) => {
    const { broker, schema } = beginBroker(t, suite);
    const away = await record(broker);
    await away.close();
    await broker.publish(['a', 'b', 'c', 'd'].map((id) => order(id, 'k')));
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
    const { broker, another } = beginBroker(t, suite, { claimMs: 2_000, pollMs: 50 });
    const got: string[] = [];
    const handler = async ({ id }: IncomingMessage) => {
      got.push(id);
      if (id === 'long') await working.promise;
    };
    await broker.subscribe('orders', { group: 'g' }, handler);
    await broker.publish([order('long', 'k'), order('behind', 'k'), order('beside', 'b')]);
    await arrived(got, 1);
    await another().subscribe('orders', { group: 'g' }, handler);
    for (let n = 0; n < 12; n += 1) {
      await broker.publish([order(`other-${n}`, 'o')]);
      await arrived(got, n + 3);
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
    const before = got.filter((id) => !id.startsWith('other'));
    working.resolve();
    await arrived(got, 15);

    assert.deepEqual(before, ['long', 'beside']);
    assert.deepEqual([got.length, got.at(-1)], [15, 'behind']);
  });

  test('who has lost a claim to somebody else acknowledges nothing', async (t) => {
    const { broker, schema } = beginBroker(t, suite, { claimMs: 600_000 });
    const begun = Promise.withResolvers<void>();
    const working = Promise.withResolvers<void>();
    const subscription = await broker.subscribe('orders', { group: 'g' }, async () => {
      begun.resolve();
      await working.promise;
    });
    await broker.publish([order('m')]);
    await begun.promise;
    await pool.query(`UPDATE ${schema}.broker_claim SET holder = 'somebody else'`);
    working.resolve();
    await subscription.close();

    const { rows } = await pool.query(`SELECT id FROM ${schema}.broker_delivery`);
    assert.deepEqual(rows, [{ id: 'm' }]);
  });

  test('a member hears at once of what is published, and again after its connection was cut; without listening it polls', async (t) => {
    const { broker, another, schema } = beginBroker(t, suite);
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

    await broker.publish([order('a')]);
    await arrived(heard.got, 1);
    await pool.query('SELECT pg_terminate_backend($1)', [first]);
    await eventually(
      listeners,
      (pids) => pids.length === 1 && pids[0] !== first,
      'it listens again',
    );
    await broker.publish([order('b')]);
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

  test('members of one group agree about order for as long as one has something in hand', async (t) => {
    const working = Promise.withResolvers<void>();
    // First of all: a broker waits for what is in hand when it is closed.
    t.after(() => working.resolve());
    const { broker, another } = beginBroker(t, suite);
    const begun = Promise.withResolvers<void>();
    const first = await broker.subscribe('orders', { group: 'g' }, async () => {
      begun.resolve();
      await working.promise;
    });
    await broker.publish([order('m')]);
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
});

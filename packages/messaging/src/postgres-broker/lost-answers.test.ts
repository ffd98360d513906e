import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../testing/eventually.ts';
import { order } from '../testing/servers/postgres-broker-suite.ts';
import { postgresSuite } from '../testing/servers/postgres-suite.ts';
import { tcpProxy } from '../testing/servers/tcp-proxy.ts';
import { postgresBroker } from './postgres-broker.ts';
import { statements } from './statements.ts';

await postgresSuite('a claim whose answer is lost', ({ server, newPool, newSchema }) => {
  test('messages whose claim was answered to nobody were overtaken by later ones of their key; now those wait until it is over', async (t) => {
    const proxy = await tcpProxy(server.port);
    t.after(() => proxy.close());
    const schema = newSchema();
    const behind = newPool({
      connectionString: `postgres://postgres@127.0.0.1:${proxy.port}/postgres`,
    });
    const quick = { schema, reconnectMs: 10, claimMs: 1_500 };
    // It looks when it is told to.
    const member = postgresBroker({ ...quick, pool: behind, pollMs: 60_000 });
    const publisher = postgresBroker({ ...quick, pool: newPool() });
    t.after(() => Promise.all([member.close(), publisher.close()]));
    const got: string[] = [];
    await member.subscribe('orders', { group: 'g' }, async ({ id }) => {
      got.push(id);
    });
    await publisher.publish([order('warm', 'k')]);
    await eventually(
      () => got.length,
      (count) => count === 1,
      'it listens',
    );
    const cut = proxy.cutOnce((piece) => piece.includes('broker_take'), 'unanswered');
    await publisher.publish([order('first', 'k'), order('second', 'k')]);
    await cut;
    await publisher.publish([order('third', 'k')]);
    await eventually(
      async () => {
        // Each has the member look again, also when the claim is over.
        await publisher.publish([order(`look-${performance.now()}`)]);
        return got.filter((id) => !id.startsWith('look'));
      },
      (ids) => ids.length >= 4,
      'all are handled',
    );

    const handled = got.filter((id) => !id.startsWith('look'));
    assert.deepEqual(handled, ['warm', 'first', 'second', 'third']);
  });

  test('what a server that stood still carried out late took messages for nobody; after its time a claim takes nothing', async (t) => {
    const schema = newSchema();
    const pool = newPool();
    const broker = postgresBroker({ schema, pool });
    t.after(() => broker.close());
    const never = async () => {
      throw new Error('not yet');
    };
    const { close } = await broker.subscribe('orders', { group: 'g' }, never);
    await close();
    await broker.publish([order('first', 'k')]);
    const { rows } = await pool.query(
      `SELECT id, ${schema}.broker_now_ms() AS now FROM ${schema}.broker_group`,
    );
    const [{ id, now }] = rows;
    const take = async (untilMs: number) => {
      const values = [id, 'a member', 10, 1_000, true, [], untilMs, []];
      const taken = await pool.query(statements(schema).take, values);
      const claims = await pool.query(`SELECT count(*)::integer AS n FROM ${schema}.broker_claim`);
      return [taken.rows.length, claims.rows[0].n];
    };

    assert.deepEqual(
      [await take(Number(now) - 1), await take(Number(now) + 600_000)],
      [
        [0, 0],
        [1, 1],
      ],
    );
  });
});

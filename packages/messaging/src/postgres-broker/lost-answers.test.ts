import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../testing/eventually.ts';
import { order } from '../testing/postgres-broker-suite.ts';
import { postgresSuite } from '../testing/postgres-suite.ts';
import { tcpProxy } from '../testing/tcp-proxy.ts';
import { postgresBroker } from './postgres-broker.ts';

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
});

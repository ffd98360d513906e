import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '@holdfast/core';
import { openOutbox } from '../outbox.ts';
import { postgresSuite } from '../testing/servers/postgres-suite.ts';
import { postgresStore } from './postgres-store.ts';

const HOUR_MS = 3_600_000;

await postgresSuite('clocks that disagree on PostgreSQL', ({ pool, virtualStore }) => {
  test('two nodes whose clocks are two hours apart share leases, delays and ages, for the clock is the database’s', async (t) => {
    const { schema, elapse } = await virtualStore();
    const node = async (offMs: number) => {
      const clock = { ...systemClock, wallMs: () => systemClock.wallMs() + offMs };
      const store = postgresStore({ pool, schema, clock, listen: false });
      const outbox = await openOutbox({ store, clock });
      t.after(() => outbox.close());
      return { store, outbox, clock };
    };
    const ahead = await node(HOUR_MS);
    const behind = await node(-HOUR_MS);
    const leased = async ({ store }: typeof ahead) =>
      (await store.lease(10, 5_000)).map(({ message: { id }, delivery }) => `${id} #${delivery}`);

    await ahead.outbox.accept([
      { id: 'now', topic: 'events', body: 'x' },
      { id: 'in 2 s', topic: 'events', body: 'x', delayMs: 2_000 },
      // By the clock of who accepts: a moment means what its author means by it.
      { id: 'at', topic: 'events', body: 'x', dueAt: new Date(ahead.clock.wallMs() + 60_000) },
    ]);
    const first = [await leased(ahead), await leased(behind)];
    await elapse(2_001);
    const second = [await leased(behind), await leased(ahead)];
    await elapse(3_000);
    const lapsed = [await leased(behind), await leased(ahead)];
    const { oldestMs } = await behind.outbox.stats();
    await elapse(60_000);
    const last = await leased(ahead);

    assert.deepEqual(first, [['now #1'], []]);
    assert.deepEqual(second, [['in 2 s #1'], []]);
    assert.deepEqual(lapsed, [['now #2'], []]);
    assert.equal(oldestMs, 5_001);
    assert.deepEqual(last, ['now #3', 'in 2 s #2', 'at #1']);
  });
});

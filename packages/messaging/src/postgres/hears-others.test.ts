import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../testing/eventually.ts';
import { postgresSuite } from '../testing/servers/postgres-suite.ts';
import { postgresStore } from './postgres-store.ts';

await postgresSuite(
  'who hears of what was appended on PostgreSQL',
  ({ pool, newPool, newSchema }) => {
    test('others hear of an append, and who appends does not; of one in a transaction of yours all do', async () => {
      const schema = newSchema();
      const [one, other] = [newPool(), newPool()].map((own) =>
        postgresStore({ pool: own, schema }),
      );
      await one!.open();
      const heard = { one: 0, other: 0 };
      const ends = [
        one!.watch?.(() => {
          heard.one += 1;
        }),
        other!.watch?.(() => {
          heard.other += 1;
        }),
      ];
      // Each is told once that it listens, as something may have been missed.
      await eventually(
        () => heard.one + heard.other,
        (count) => count === 2,
        'both listen',
      );

      const message = (id: string) => ({ id, topic: 't', key: undefined, headers: {} });
      const body = Buffer.from('x');
      const limits = { maxMessages: 100, maxBytes: 10_000 };
      await one!.append([[{ ...message('plain'), body }]], limits);
      await one!.append([[{ ...message('named'), body, replaces: { name: 'a' } }]], limits);
      await one!.append([[{ ...message('plain'), body }]], limits);
      const client = await pool.connect();
      await client.query('BEGIN');
      await one!.acceptIn(client, [{ id: 'yours', topic: 't', body: 'x' }]);
      await client.query('COMMIT');
      client.release();
      // Notifications come in the order of commits: with the last of them all others are there.
      await eventually(
        () => heard.one,
        (count) => count === 2,
        'its own transaction is told of',
      );
      await eventually(
        () => heard.other,
        (count) => count === 4,
        'the other hears of all but the duplicate',
      );
      for (const end of ends) end?.();

      assert.deepEqual(heard, { one: 2, other: 4 });
    });
  },
);

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { selfSigned } from '@holdfast/test-servers';
import type { PoolConfig } from 'pg';
import { openOutbox } from '../outbox.ts';
import { postgresStore } from '../postgres/index.ts';
import { eventually } from '../testing/eventually.ts';
import { postgresSuite } from '../testing/servers/postgres-suite.ts';
import { postgresBroker } from './postgres-broker.ts';

const tls = await selfSigned();
const stranger = await selfSigned();

await postgresSuite(
  'PostgreSQL over TLS',
  ({ newPool, newSchema }) => {
    const poolWith = (ca: string) => newPool({ ssl: { ca } as NonNullable<PoolConfig['ssl']> });

    test('the outbox keeps messages over TLS; without it, and where the certificate is a stranger’s, it says why not', async (t) => {
      const schema = newSchema();
      const outbox = await openOutbox({
        store: postgresStore({ pool: poolWith(tls.certificate), schema }),
      });
      t.after(() => outbox.close());
      const receipts = await outbox.accept([{ id: 'a', topic: 'events', body: 'x' }]);
      const refusal = async (pool: ReturnType<typeof newPool>) =>
        String(
          await postgresStore({ pool, schema })
            .open()
            .catch((error: unknown) => error),
        );

      assert.deepEqual(receipts, [{ id: 'a', duplicate: false }]);
      assert.match(await refusal(newPool()), /no pg_hba\.conf entry .* no encryption/);
      assert.match(
        await refusal(poolWith(stranger.certificate)),
        /^StoreUnavailableError: .* cannot be reached over TLS\. Check the pool's `ssl`.*self[- ]signed certificate/,
      );
    });

    test('the broker publishes, listens and hands over on TLS', async (t) => {
      const pool = poolWith(tls.certificate);
      const broker = postgresBroker({ pool, schema: newSchema(), pollMs: 600_000 });
      t.after(() => broker.close());
      const got: string[] = [];
      await broker.subscribe('events', { group: 'g' }, async ({ id }) => {
        got.push(id);
      });
      for (const id of ['a', 'b']) {
        await broker.publish([
          { id, topic: 'events', key: 'k', body: Buffer.from('x'), headers: {} },
        ]);
      }
      await eventually(
        () => got.length,
        (count) => count === 2,
        'both arrive',
      );
      const { rows } = await pool.query(
        'SELECT bool_and(ssl) AS all FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE client_port IS NOT NULL',
      );

      assert.deepEqual(got, ['a', 'b']);
      assert.deepEqual(rows, [{ all: true }]);
    });
  },
  { tls },
);

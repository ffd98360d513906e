import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { postgresStore } from '../postgres/index.ts';
import { storeContract } from '../testing/contracts/store-contract.ts';
import { randomProgram } from '../testing/model/random-program.ts';
import { postgresSuite } from '../testing/servers/postgres-suite.ts';
import { openTelemetry } from '../trace/testing/open-telemetry.ts';
import { encryptedStore } from './encrypted-store.ts';

const PROGRAMS = Number(process.env.HOLDFAST_PROGRAMS ?? 8);
const keys = [{ key: randomBytes(32) }];

await postgresSuite('encryptedStore on PostgreSQL', ({ pool, newSchema, virtualStore }) => {
  storeContract('encryptedStore over postgresStore', async () => {
    const { store: inner, schema, elapse } = await virtualStore();
    const store = encryptedStore(inner, { keys });
    const reopen = async () => {
      await store.close();
      return encryptedStore(postgresStore({ pool, schema }), { keys });
    };
    return { store, elapse, reopen };
  });

  test(`${PROGRAMS} random programs do the same to the model, and encrypted on PostgreSQL`, async () => {
    for (let seed = 1; seed <= PROGRAMS; seed += 1) {
      const { store, elapse } = await virtualStore();
      let nowMs = 0;
      const clock = {
        now: () => nowMs,
        async advance(ms: number) {
          nowMs += ms;
          await elapse(ms);
        },
      };
      const encrypted = encryptedStore(store, { keys });
      await randomProgram({ name: 'postgres', store: encrypted, clock, seed, grows: true });
    }
  });

  test('a message accepted in a transaction of yours is encrypted, and gone with a rollback', async () => {
    const schema = newSchema();
    const { tracer, spans } = openTelemetry();
    const store = encryptedStore(postgresStore({ pool, schema, tracer }), { keys });
    await store.open();
    const client = await pool.connect();
    const body = 'a secret of exactly so many bytes';
    const accept = async (id: string, end: 'COMMIT' | 'ROLLBACK') => {
      await client.query('BEGIN');
      const message = { id, topic: 'orders', body, headers: { h: 'secret too' } };
      // As many as may be: what encryption adds is not counted against the sender.
      const limits = { maxBodyBytes: body.length };
      const receipts = await store.acceptIn(client, [message], limits);
      await client.query(end);
      return receipts;
    };

    const receipts = await accept('kept', 'COMMIT');
    await accept('gone', 'ROLLBACK');
    await assert.rejects(
      store.acceptIn(client, [{ topic: 'orders', body: `${body}.` }], {
        maxBodyBytes: body.length,
      }),
      { code: 'MESSAGE_TOO_LARGE' },
    );
    client.release();
    const { rows } = await pool.query(`SELECT id, body, headers FROM ${schema}.message`);
    const leases = await store.lease(10, 1_000);

    assert.deepEqual(
      spans().map(({ attributes }) => attributes['messaging.message.id']),
      ['kept', 'gone'],
      'each has a span of the tracer of the store within',
    );
    assert.deepEqual(receipts, [{ id: 'kept', duplicate: false }]);
    assert.deepEqual(
      rows.map(({ id }) => id),
      ['kept'],
    );
    assert.ok(!rows[0].body.includes('secret') && !rows[0].headers.includes('secret'));
    const [{ message } = { message: undefined }] = leases;
    assert.deepEqual(
      [
        Buffer.from(message?.body ?? []).toString(),
        message?.headers.h,
        message?.headers.traceparent?.split('-')[2],
      ],
      [body, 'secret too', spans()[0]?.spanId],
    );
  });
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { freePort } from '@holdfast/test-servers';
import { StoreUnavailableError } from '../errors.ts';
import { openOutbox } from '../outbox.ts';
import { storeContract } from '../testing/contracts/store-contract.ts';
import { eventually } from '../testing/eventually.ts';
import { memoryBroker } from '../testing/memory-broker.ts';
import { randomProgram } from '../testing/model/random-program.ts';
import { postgresSuite } from '../testing/servers/postgres-suite.ts';
import { openTelemetry } from '../trace/testing/open-telemetry.ts';
import { postgresStore } from './postgres-store.ts';

const PROGRAMS = Number(process.env.HOLDFAST_PROGRAMS ?? 8);
const nowhere = { connectionString: undefined, host: '127.0.0.1', user: 'nobody' };
const ROOMY = { maxMessages: 100_000, maxBytes: 100_000_000 };

await postgresSuite(
  'the store on PostgreSQL',
  ({ server, pool, newPool, newSchema, virtualStore }) => {
    storeContract('postgresStore', async () => {
      const { store, schema, elapse } = await virtualStore();
      const reopen = async () => {
        await store.close();
        return postgresStore({ pool, schema });
      };
      return { store, elapse, reopen };
    });

    test(`${PROGRAMS} random programs do the same to the model and on PostgreSQL`, async () => {
      for (let seed = 1; seed <= PROGRAMS; seed += 1) {
        const { store, schema, elapse } = await virtualStore();
        let latest = store;
        const reopen = async () => {
          await latest.close();
          latest = postgresStore({ pool, schema });
          return latest;
        };
        let nowMs = 0;
        const clock = {
          now: () => nowMs,
          async advance(ms: number) {
            nowMs += ms;
            await elapse(ms);
          },
        };
        await randomProgram({ name: 'postgres', store, clock, seed, reopen });
        await latest.close();
      }
    });

    test('a row and its message commit together, or neither is there', async () => {
      const { store } = await virtualStore();
      const table = newSchema();
      await pool.query(`CREATE TABLE ${table} (id text)`);
      const order = async (id: string, end: 'COMMIT' | 'ROLLBACK') => {
        const client = await pool.connect();
        await client.query('BEGIN');
        await client.query(`INSERT INTO ${table} VALUES ($1)`, [id]);
        const receipts = await store.acceptIn(client, [{ id, topic: 'orders', body: id }]);
        const before = (await store.stats()).queued;
        await client.query(end);
        client.release();
        return { receipts, before };
      };

      const kept = await order('order-1', 'COMMIT');
      const undone = await order('order-2', 'ROLLBACK');
      const again = await order('order-1', 'ROLLBACK');
      const { rows } = await pool.query(`SELECT id FROM ${table}`);
      const leases = await store.lease(10, 1_000);

      assert.deepEqual(kept, { receipts: [{ id: 'order-1', duplicate: false }], before: 0 });
      assert.deepEqual(undone, { receipts: [{ id: 'order-2', duplicate: false }], before: 1 });
      assert.deepEqual(again.receipts, [{ id: 'order-1', duplicate: true }]);
      assert.deepEqual(rows, [{ id: 'order-1' }]);
      assert.deepEqual(
        leases.map(({ message: { id } }) => id),
        ['order-1'],
      );
    });

    test('what is accepted, buried, replayed or withdrawn waits for the disk; leases and their ends do not', async () => {
      const { store, schema } = await virtualStore();
      // Deferred, so that it is asked when the transaction commits.
      await pool.query(
        `CREATE TABLE ${schema}.commit (waits text);
         CREATE FUNCTION ${schema}.seen() RETURNS trigger LANGUAGE plpgsql AS
           'BEGIN INSERT INTO ${schema}.commit VALUES (current_setting(''synchronous_commit'')); RETURN NULL; END';
         CREATE CONSTRAINT TRIGGER seen AFTER INSERT OR UPDATE OR DELETE ON ${schema}.message
           DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION ${schema}.seen();`,
      );
      const waits: Record<string, string> = {};
      const watched = async <T>(what: string, work: Promise<T>): Promise<T> => {
        const value = await work;
        const { rows } = await pool.query(`DELETE FROM ${schema}.commit RETURNING waits`);
        waits[what] = [...new Set(rows.map((row) => row.waits))].join();
        return value;
      };

      const ids = ['a', 'b', 'c', 'd'];
      await watched('append', store.append([ids.map((id) => message(id))], ROOMY));
      const [a, b, c] = await watched('lease', store.lease(3, 60_000));
      await watched('renew', store.renew([a!], 60_000));
      await watched('note', store.note([{ lease: a!, text: 'half' }]));
      await watched('release', store.release([a!], { delayMs: 60_000 }));
      await watched('complete', store.complete([b!]));
      await watched('bury', store.bury([c!], 'refused'));
      await watched('replay', store.replay(['c']));
      await watched('withdraw', store.withdraw(['c', 'd']));

      assert.deepEqual(waits, {
        append: 'on',
        lease: 'off',
        renew: 'off',
        note: 'off',
        release: 'off',
        complete: 'off',
        bury: 'on',
        replay: 'on',
        withdraw: 'on',
      });
    });

    test('in a transaction each message has a span, in the trace it brings, and passes it on', async () => {
      const { tracer, spans } = openTelemetry();
      const store = postgresStore({ pool, schema: newSchema(), tracer });
      await store.open();
      const client = await pool.connect();
      await client.query('BEGIN');
      const headers = { traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01' };
      const messages = ['a', 'b'].map((id) => ({ id, topic: 'orders', body: id, headers }));
      await store.acceptIn(client, messages);
      await store.acceptIn(client, messages.slice(0, 1));
      await assert.rejects(
        store.acceptIn(client, [{ topic: 'orders', body: 'c' }], { maxMessages: 1 }),
      );
      await client.query('COMMIT');
      client.release();
      const leases = await store.lease(10, 1_000);

      assert.deepEqual(
        spans().map(({ name, parent, attributes, error }) => [
          `${name} ${attributes['messaging.message.id'] === undefined ? '' : 'with id'}`,
          parent,
          attributes['holdfast.duplicate'] ?? false,
          error !== undefined,
        ]),
        [
          ['accept orders with id', '00f067aa0ba902b7', false, false],
          ['accept orders with id', '00f067aa0ba902b7', false, false],
          ['accept orders with id', '00f067aa0ba902b7', true, false],
          ['accept orders with id', undefined, false, true],
        ],
      );
      assert.deepEqual(
        leases.map(({ message: { headers } }) => headers.traceparent?.split('-')[2]),
        spans()
          .slice(0, 2)
          .map(({ spanId }) => spanId),
      );
    });

    test('a transaction that stays open keeps nobody else waiting', async () => {
      const { store } = await virtualStore();
      const client = await pool.connect();
      await client.query('BEGIN');
      await store.acceptIn(client, [{ id: 'open', topic: 'orders', key: 'k', body: 'x' }]);

      await store.append([[message('other', 'k')]], ROOMY);
      const leases = await store.lease(10, 1_000);
      await store.complete(leases);
      await client.query('COMMIT');
      client.release();
      const { queued, successful } = await store.stats();

      assert.deepEqual({ queued, successful }, { queued: 1, successful: 1 });
    });

    test('in a transaction, too, a full queue refuses', async () => {
      const { store } = await virtualStore();
      const client = await pool.connect();
      const messages = ['a', 'b'].map((id) => ({ id, topic: 'orders', body: id }));
      await client.query('BEGIN');

      await assert.rejects(store.acceptIn(client, messages, { maxMessages: 1 }), {
        code: 'OUTBOX_FULL',
      });
      await store.acceptIn(client, messages, null);
      await client.query('COMMIT');
      client.release();
      assert.equal((await store.stats()).queued, 2);
    });

    test('ten leasing at once on ten connections share the work, and never a message', async () => {
      const { store, schema } = await virtualStore();
      const stores = Array.from({ length: 10 }, () => postgresStore({ pool, schema }));
      const messages = Array.from({ length: 300 }, (_, n) =>
        message(`m${n}`, n % 3 === 0 ? undefined : `key-${n % 60}`),
      );
      await store.append([messages], ROOMY);

      const leased: string[] = [];
      const inFlight = new Set<string>();
      const work = async (each: typeof store) => {
        for (let empty = 0; empty < 3; ) {
          const leases = await each.lease(7, 60_000);
          if (leases.length === 0) empty += 1;
          const keys = new Set(leases.map(({ message: { key } }) => key ?? ''));
          keys.delete('');
          for (const key of keys) assert.ok(!inFlight.has(key), `two hold messages of ${key}`);
          for (const key of keys) inFlight.add(key);
          leased.push(...leases.map(({ message: { id } }) => id));
          for (const key of keys) inFlight.delete(key);
          assert.equal(await each.complete(leases), leases.length);
        }
      };
      await Promise.all(stores.map(work));

      assert.deepEqual(leased.toSorted(), messages.map(({ id }) => id).toSorted());
      const ofOneKey = leased.filter((id) =>
        messages.some((m) => m.id === id && m.key === 'key-1'),
      );
      assert.deepEqual(ofOneKey, ['m1', 'm61', 'm121', 'm181', 'm241']);
    });

    test('a relay hears at once of what another process has accepted, and again after its connection was cut', async (t) => {
      const schema = newSchema();
      const [here, there] = [newPool(), newPool()];
      const outbox = await openOutbox({ store: postgresStore({ pool: here, schema }) });
      const other = await openOutbox({ store: postgresStore({ pool: there, schema }) });
      t.after(() => Promise.all([outbox.close(), other.close()]));
      const arrived: string[] = [];
      const broker = memoryBroker();
      await broker.subscribe('events', { group: 'sink' }, async ({ id }) => {
        arrived.push(id);
      });
      // It would look by itself in ten minutes.
      outbox.relay(broker, { pollMs: 600_000 });
      const listeners = async () => {
        const { rows } = await pool.query(
          `SELECT pid FROM pg_stat_activity WHERE query = 'LISTEN "holdfast_${schema}"'`,
        );
        return rows.map(({ pid }) => pid as number);
      };
      const both = (pids: number[]) => pids.length === 2;
      const first = await eventually(listeners, both, 'both listen');

      await other.accept([{ id: 'a', topic: 'events', body: 'x' }]);
      await eventually(
        () => arrived.length,
        (count) => count === 1,
        'the first arrives',
      );
      for (const pid of first) await pool.query('SELECT pg_terminate_backend($1)', [pid]);
      await eventually(
        listeners,
        (pids) => both(pids) && !pids.some((pid) => first.includes(pid)),
        'both listen again',
      );
      await other.accept([{ id: 'b', topic: 'events', body: 'x' }]);
      await eventually(
        () => arrived.length,
        (count) => count === 2,
        'the second arrives',
      );

      assert.deepEqual(arrived, ['a', 'b']);
    });

    test('without listening a relay finds by polling what another process has accepted', async (t) => {
      const schema = newSchema();
      const store = postgresStore({ pool: newPool({ max: 1 }), schema });
      const outbox = await openOutbox({ store });
      t.after(() => outbox.close());
      const broker = memoryBroker();
      let arrived = 0;
      await broker.subscribe('events', { group: 'sink' }, async () => {
        arrived += 1;
      });
      outbox.relay(broker, { pollMs: 20 });

      await postgresStore({ pool, schema }).append([[message('a')]], ROOMY);

      await eventually(
        () => arrived,
        (count) => count === 1,
        'it arrives',
      );
    });

    test('a database that hangs is given up on after the time-out, and used again when it goes on', async (t) => {
      const store = postgresStore({ pool: newPool(), schema: newSchema(), timeoutMs: 1_000 });
      await store.open();
      t.after(() => server.process.signal('SIGCONT'));
      const backends = await pool.query(
        'SELECT pid FROM pg_stat_activity WHERE backend_type = $1',
        ['client backend'],
      );
      const pids = backends.rows.map(({ pid }) => pid as number);
      for (const pid of pids) process.kill(pid, 'SIGSTOP');
      server.process.signal('SIGSTOP');

      const refusal = await store.append([[message('a')]], ROOMY).catch((error: Error) => error);
      for (const pid of pids) process.kill(pid, 'SIGCONT');
      server.process.signal('SIGCONT');

      assert.ok(refusal instanceof StoreUnavailableError, String(refusal));
      assert.match(refusal.message, /cannot be reached\. \(timeout: no answer within 1000 ms\)/);
      await eventually(
        () => store.append([[message('a')]], ROOMY),
        () => true,
        'it is used again',
      );
      assert.equal((await store.stats()).queued, 1);
    });

    test('a database that is away when a service starts is told of by accept, and used when it is there', async (t) => {
      const port = await freePort();
      const store = postgresStore({ pool: newPool({ ...nowhere, port }), schema: newSchema() });
      const outbox = await openOutbox({ store });
      t.after(() => outbox.close());

      await assert.rejects(outbox.accept([{ topic: 'events', body: 'x' }]), (error: Error) => {
        const { code, retryAfterMs } = error as Error & { code: string; retryAfterMs: number };
        assert.deepEqual([code, retryAfterMs], ['OUTBOX_UNAVAILABLE', 500]);
        assert.match(error.message, /The database of outbox schema "test_\d+" cannot be reached\./);
        return true;
      });
    });

    test('leasing under another isolation is refused, with what to do', async () => {
      const options = '-c default_transaction_isolation=serializable';
      const schema = newSchema();
      const store = postgresStore({ pool: newPool({ options }), schema });
      await store.append([[message('a')]], ROOMY);

      await assert.rejects(store.lease(1, 1_000), {
        code: 'STORE_UNAVAILABLE',
        message: /default_transaction_isolation=read\\ committed.*not SERIALIZABLE/,
      });
      assert.equal((await postgresStore({ pool, schema }).lease(1, 1_000)).length, 1);
    });

    test('only as many delivered ids are remembered as it was told to, and the tally stays short', async () => {
      const schema = newSchema();
      const store = postgresStore({ pool, schema, rememberDelivered: 0 });
      for (let n = 0; n < 260; n += 1) {
        await store.append([[message(`m${n}`)]], ROOMY);
        await store.complete(await store.lease(1, 5_000));
      }

      const again = await store.append([[message('m0')]], ROOMY);
      const { rows } = await pool.query(`SELECT count(*)::integer AS n FROM ${schema}.tally`);

      assert.deepEqual(again, [{ kind: 'kept', duplicates: [false] }]);
      assert.equal((await store.stats()).successful, 260);
      assert.ok(rows[0].n < 600, `${rows[0].n} rows`);
    });

    test('a message that PostgreSQL cannot keep failed the others of its turn, and does no more', async (t) => {
      const outbox = await openOutbox({ store: postgresStore({ pool, schema: newSchema() }) });
      t.after(() => outbox.close());
      const accept = (key: string) =>
        outbox.accept([{ topic: 'orders', key, body: 'x' }]).then(
          () => 'kept',
          (error: Error) => error.name,
        );
      const answers = await Promise.all([accept('a'), accept('\0'), accept('b')]);
      assert.deepEqual(answers, ['kept', 'TypeError', 'kept']);
    });

    test('what PostgreSQL cannot keep is refused, naming the field', async () => {
      const { store } = await virtualStore();
      await assert.rejects(store.append([[message('a\0b')]], ROOMY), {
        name: 'TypeError',
        message: 'message.id must not hold U+0000: PostgreSQL cannot keep it.',
      });
    });

    test('options that cannot work are refused, naming the culprit', () => {
      assert.throws(() => postgresStore({ pool, schema: 'Orders; DROP' }), {
        name: 'TypeError',
        message:
          'postgresStore.schema must be up to 40 lower-case letters, digits and "_", not beginning with a digit, not "Orders; DROP".',
      });
      assert.throws(() => postgresStore({ pool, timeoutMs: 1 }), RangeError);
      assert.throws(() => postgresStore({ pool, rememberDelivered: -1 }), RangeError);
      assert.throws(() => postgresStore({ pool: newPool({ max: 1 }), listen: true }), {
        message:
          'postgresStore.listen keeps a connection of its own, and the pool has one only: give the pool `max: 2` or more, or `listen: false`.',
      });
    });
  },
);

function message(id: string, key?: string) {
  return { id, topic: 'events', key, body: Buffer.from(id), headers: {} };
}

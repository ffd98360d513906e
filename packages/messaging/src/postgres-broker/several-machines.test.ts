import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { seededRandom } from '@holdfast/core/testing';
import { postgresStore } from '../postgres/index.ts';
import { Ledger } from '../testing/crash/ledger.ts';
import { Victim } from '../testing/crash/victim.ts';
import { eventually } from '../testing/eventually.ts';
import { postgresSuite } from '../testing/postgres-suite.ts';
import { postgresBroker } from './postgres-broker.ts';

const SEED = Number(process.env.HOLDFAST_SEED ?? 1);
/** Nodes ended or stopped; the long run: `HOLDFAST_NODE_FAULTS=100`. */
const FAULTS = Number(process.env.HOLDFAST_NODE_FAULTS ?? 3);
const HOLD_MS = 1_500;

/** What one worker did with one message, in microseconds of the database's clock. */
interface Handling {
  readonly id: string;
  readonly key: string;
  readonly worker: number;
  readonly began: number;
  readonly ended: number | null;
}

await postgresSuite('several machines on one PostgreSQL', ({ server, pool, newSchema }) => {
  test('2 producers, 3 relays and 4 workers: no event twice in flight, each key in order, all at work', async (t) => {
    const { schema, ledger, producers, relays, workers, handlings, drained } = await platform(t);

    await eventually(
      () => ledger.accepted.size,
      (count) => count > 300,
      'there is traffic',
    );
    await end(producers);
    await drained();
    await end([...relays, ...workers]);
    const done = await handlings();

    assert.deepEqual(done.map(({ id }) => id).toSorted(), [...ledger.accepted].toSorted());
    assert.deepEqual(overlaps(done), []);
    assert.deepEqual(outOfOrder(done), []);
    const shares = [1, 2, 3, 4].map(
      (which) => done.filter(({ worker }) => worker === which).length,
    );
    assert.ok(Math.min(...shares) > 0, `a worker had nothing to do: ${shares.join(' + ')}`);
    t.diagnostic(`${schema}: ${done.length} events, shares ${shares.join(' + ')}`);
  });

  test(`${FAULTS} nodes killed or stopped: nothing is lost, and what they held is taken over when it is over`, async (t) => {
    const { ledger, producers, relays, workers, handlings, drained } = await platform(t);
    const random = seededRandom(SEED);
    const stops: { readonly worker: number; readonly from: number; readonly to: number }[] = [];
    const kills: { readonly worker: number; readonly at: number }[] = [];
    const nowUs = async () => {
      const { rows } = await pool.query(`SELECT ${US('clock_timestamp()')} AS us`);
      return Number(rows[0].us);
    };

    for (let fault = 0; fault < FAULTS; fault += 1) {
      await sleep(200 + random.next() * 500);
      const which = Math.floor(random.next() * workers.length);
      const worker = workers[which]!;
      if (fault % 3 === 0) {
        const relay = relays[fault % relays.length]!;
        await relay.end('SIGKILL');
        await relay.start();
      } else if (fault % 3 === 1) {
        const at = await nowUs();
        await worker.end('SIGKILL');
        kills.push({ worker: which + 1, at });
        await sleep(HOLD_MS * random.next());
        await worker.start();
      } else {
        const from = await nowUs();
        worker.signal('SIGSTOP');
        await sleep(HOLD_MS * 2);
        worker.signal('SIGCONT');
        stops.push({ worker: which + 1, from, to: await nowUs() });
      }
    }
    await end(producers);
    await drained();
    await end([...relays, ...workers]);
    const done = await handlings();
    for (const { id, key } of done) {
      ledger.deliver({ id, key, topic: '', body: Buffer.alloc(0), headers: {}, delivery: 1 });
    }

    assert.deepEqual(ledger.lost(new Set()), []);
    assert.deepEqual(ledger.outOfOrder, []);
    // A node that was stopped in the middle of one, or killed, is the only reason to have one twice.
    const faulty = new Set([...stops, ...kills].map(({ worker }) => worker));
    assert.deepEqual(
      overlaps(done).filter(([first]) => !faulty.has(first.worker)),
      [],
    );
    const takeOvers = unfinished(done).map(({ id, began }) => {
      const next = done.find((each) => each.id === id && each.began > began);
      assert.ok(next !== undefined, `${id} was taken over`);
      return (next.began - began) / 1_000;
    });
    t.diagnostic(
      `seed ${SEED}: accepted ${ledger.accepted.size}, duplicates ${ledger.duplicates}, lost ${ledger.lost(new Set()).length}, taken over after ${takeOvers.map((ms) => ms.toFixed(0)).join(', ')} ms (claims of ${HOLD_MS} ms)`,
    );
  });

  async function platform(t: TestContext) {
    const schema = newSchema();
    const store = postgresStore({ pool, schema });
    await store.open();
    const broker = postgresBroker({ pool, schema });
    // So that the group is there before anything is published.
    await (await broker.subscribe('crash', { group: 'workers' }, async () => {})).close();
    await pool.query(
      `CREATE TABLE ${schema}_log (n bigserial PRIMARY KEY, id text, key text, worker integer, began timestamptz, ended timestamptz)`,
    );
    const ledger = new Ledger();
    const node = (program: string, count: number, last: (which: number) => readonly string[]) =>
      Array.from(
        { length: count },
        (_, which) =>
          new Victim(
            program,
            () => [server.url, schema, ...last(which + 1)],
            (line) => {
              if (/^\d{3}-\d{6}$/.test(line)) ledger.accepted.add(line);
            },
          ),
      );
    const relays = node('./postgres-relay-process.ts', 3, () => [String(HOLD_MS)]);
    const workers = node('./broker-worker-process.ts', 4, (which) => [
      String(HOLD_MS),
      String(which),
    ]);
    const producers = node('./postgres-producer-process.ts', 2, (which) => [String(which)]);
    const all = [...relays, ...workers, ...producers];
    t.after(async () => {
      for (const each of all) each.signal('SIGCONT');
      await Promise.all(all.map((each) => each.end('SIGKILL')));
    });
    await Promise.all([...relays, ...workers].map((each) => each.start()));
    await Promise.all(producers.map((each) => each.start()));
    const waiting = async () => {
      const { queued } = await store.stats();
      const { rows } = await pool.query(
        `SELECT count(*)::integer AS n FROM ${schema}.broker_delivery`,
      );
      return queued + rows[0].n;
    };
    return {
      schema,
      ledger,
      relays,
      workers,
      producers,
      drained: () => eventually(waiting, (count) => count === 0, 'all is handled', 120_000),
      async handlings(): Promise<readonly Handling[]> {
        const { rows } = await pool.query(
          `SELECT id, key, worker, ${US('began')} AS began, ${US('ended')} AS ended FROM ${schema}_log ORDER BY began`,
        );
        return rows.map((row) => ({
          ...row,
          began: Number(row.began),
          ended: row.ended === null ? null : Number(row.ended),
        }));
      },
    };
  }
});

const US = (moment: string) => `(extract(epoch FROM ${moment}) * 1000000)::bigint`;

async function end(victims: readonly Victim[]): Promise<void> {
  await Promise.all(victims.map((victim) => victim.end('SIGTERM')));
}

/** Begun, and never ended: their worker was killed. */
function unfinished(done: readonly Handling[]): readonly Handling[] {
  return done.filter(({ ended }) => ended === null);
}

/** Pairs of one key, the second of which began while the first was being handled. */
function overlaps(done: readonly Handling[]): readonly (readonly [Handling, Handling])[] {
  const last = new Map<string, Handling>();
  return done.flatMap((next) => {
    const first = last.get(next.key);
    last.set(next.key, next);
    const both = first?.ended != null && first.ended > next.began;
    return both ? [[first, next] as const] : [];
  });
}

/** Ids whose first handling began before that of an earlier message of their key. */
function outOfOrder(done: readonly Handling[]): readonly string[] {
  const lastOfKey = new Map<string, string>();
  return done.flatMap(({ id, key }) => {
    const late = id < (lastOfKey.get(key) ?? '');
    lastOfKey.set(key, id);
    return late ? [id] : [];
  });
}

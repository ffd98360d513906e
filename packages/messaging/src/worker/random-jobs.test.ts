import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom, VirtualClock } from '@holdfast/core/testing';
import { StoreUnavailableError } from '../errors.ts';
import { memoryStore } from '../memory-store.ts';
import type { Lease, MessageStore } from '../store.ts';
import { PoisonError, RetryLaterError } from './endings/job-errors.ts';
import type { Job } from './job.ts';
import { openJobs } from './jobs.ts';
import type { Worker } from './worker.ts';

const SEEDS = Number(process.env.HOLDFAST_PROGRAMS ?? 25);
const LEASE_MS = 2_000;

/**
 * Jobs that succeed, fail, hang, ask for later, are poison or cancelled; workers that stop, vanish with
 * what they hold and come again; a store that is away at times.
 */
test(`${SEEDS} random programs of jobs keep what is promised`, async (t) => {
  const ends = { done: 0, dead: 0, cancelled: 0, queued: 0 };
  for (let seed = 1; seed <= SEEDS; seed += 1) {
    const counted = await program(seed);
    for (const end of Object.keys(ends) as (keyof typeof ends)[]) ends[end] += counted[end];
  }
  t.diagnostic(JSON.stringify(ends));
  assert.ok(ends.done > 0 && ends.dead > 0 && ends.cancelled > 0);
});

async function program(seed: number) {
  const random = seededRandom(seed);
  const pick = (count: number) => Math.floor(random.next() * count);
  const clock = new VirtualClock();
  const real = memoryStore({ clock });
  const where = `seed ${seed}`;
  const ids: string[] = [];
  const succeeded = new Map<string, number>();
  /** By key: the job that a handler with a live lease has in its hands. */
  const ofKey = new Map<string, string>();
  const live = new Map<string, number>();
  let atWork = 0;
  const violations: string[] = [];

  /** Two live leases on one message are seen here, whichever worker holds them. */
  const leases = new Map<string, { token: string; untilMs: number }>();
  const noted = (given: readonly Lease[], leaseMs: number) => {
    for (const { message, token } of given) {
      const held = leases.get(message.id);
      const other = held !== undefined && held.token !== token && held.untilMs > clock.now();
      if (other) violations.push(`two live leases on ${message.id}`);
      leases.set(message.id, { token, untilMs: clock.now() + leaseMs });
    }
  };
  let away = false;
  const shaky = (): MessageStore => {
    let vanished = false;
    const guard = () => {
      if (vanished || away) throw new StoreUnavailableError('away', 20);
    };
    const ended = (given: readonly Lease[]) => {
      for (const { message } of given) leases.delete(message.id);
    };
    return {
      ...real,
      async lease(limit, leaseMs, topics) {
        guard();
        const taken = await real.lease(limit, leaseMs, topics);
        noted(taken, leaseMs);
        return taken;
      },
      async renew(given, leaseMs) {
        guard();
        const done = await real.renew(given, leaseMs);
        if (done === given.length) noted(given, leaseMs);
        return done;
      },
      async complete(given) {
        guard();
        const done = await real.complete(given);
        if (done > 0) ended(given);
        for (const { message } of done === given.length ? given : []) {
          succeeded.set(message.id, (succeeded.get(message.id) ?? 0) + 1);
        }
        return done;
      },
      async release(given, options) {
        guard();
        const done = await real.release(given, options);
        if (done > 0) ended(given);
        return done;
      },
      async bury(given, reason) {
        guard();
        const done = await real.bury(given, reason);
        if (done > 0) ended(given);
        return done;
      },
      async close() {
        vanished = true;
      },
    };
  };

  const handle = async (job: Job) => {
    atWork += 1;
    live.set(job.id, (live.get(job.id) ?? 0) + 1);
    if (job.key !== undefined) {
      const other = ofKey.get(job.key);
      // One whose lease has lapsed goes on until its worker finds out: leases cannot do better.
      const held = other !== undefined && (leases.get(other)?.untilMs ?? 0) > clock.now();
      if (held && other !== job.id) violations.push(`${job.id} overtakes ${other}`);
      ofKey.set(job.key, job.id);
    }
    const leave = () => {
      live.set(job.id, (live.get(job.id) ?? 1) - 1);
      if (job.key !== undefined && ofKey.get(job.key) === job.id) ofKey.delete(job.key);
    };
    job.signal.addEventListener('abort', leave, { once: true });
    try {
      const what = pick(10);
      await clock.sleep(pick(1_500), job.signal);
      if (what === 0) throw new PoisonError('poison');
      if (what === 1) throw new RetryLaterError({ delayMs: pick(3_000) });
      if (what <= 4) throw new Error('failed');
      // Some hang, and heed their signal; some do not.
      if (what === 5) await clock.sleep(20_000, job.signal);
      if (what === 6) await clock.sleep(8_000);
    } finally {
      atWork -= 1;
      if (!job.signal.aborted) leave();
    }
  };
  const handlers = {
    plain: handle,
    narrow: { handle, concurrency: 1 },
    rated: { handle, rateLimit: { limit: 5, intervalMs: 1_000 } },
    batched: {
      batch: 3,
      handle: async (jobs: readonly Job[]) => {
        await clock.sleep(pick(500));
        if (pick(3) === 0) throw new Error(`batch of ${jobs.length}`);
      },
    },
  };
  const topics = Object.keys(handlers);
  const options = {
    concurrency: 3,
    maxDeliveries: 3,
    delayMs: 100,
    maxDelayMs: 2_000,
    timeoutMs: 5_000,
    leaseMs: LEASE_MS,
    pollMs: 200,
    graceMs: 1_000,
    random,
  };
  const workers: Worker[] = [];
  const queues = await Promise.all([0, 1].map(() => openJobs({ store: shaky(), clock })));

  const counted = await clock.run(async () => {
    const begin = () => {
      workers.push(queues[pick(2)]!.work(handlers, options));
    };
    begin();
    begin();
    for (let step = 0; step < 60; step += 1) {
      const what = pick(10);
      if (what < 4) {
        const batch = Array.from({ length: 1 + pick(4) }, () => {
          const id = `j${ids.length}`;
          ids.push(id);
          const topic = topics[pick(topics.length)]!;
          const keyed = topic !== 'batched' && pick(3) === 0;
          return {
            id,
            topic,
            body: '',
            delayMs: pick(3) * 500,
            ...(keyed && { key: `k${pick(2)}@${topic}` }),
          };
        });
        await queues[pick(2)]!.enqueue(batch);
      } else if (what === 4 && ids.length > 0) {
        const id = ids[pick(ids.length)]!;
        // Its handler in the other process hears of it later; those behind it need not wait for that.
        if (await queues[pick(2)]!.cancel(id)) leases.delete(id);
      } else if (what === 5) {
        const [worker] = workers.splice(pick(workers.length), 1);
        await worker?.stop();
        begin();
      } else if (what === 6 && ids.length > 0) {
        // A worker that dies with what it has in its hands.
        noted(await real.lease(2, LEASE_MS), LEASE_MS);
      } else if (what === 7) {
        away = true;
        await clock.sleep(pick(3_000));
        away = false;
      }
      for (const worker of workers) {
        const { inFlight, utilisation, running } = worker.inspect();
        assert.ok(running.length === inFlight && utilisation >= 0 && utilisation <= 1, where);
        const plain = running.filter(({ topic }) => topic !== 'batched');
        const narrow = running.filter(({ topic }) => topic === 'narrow');
        assert.ok(plain.length <= 3 && narrow.length <= 1, `${where}: permits`);
      }
      await clock.sleep(pick(1_000));
    }
    await clock.sleep(120_000);
    for (const worker of workers) {
      const { inFlight, state } = worker.inspect();
      assert.deepEqual([inFlight, state], [0, 'idle'], `${where}: every permit is back`);
    }
    const states = await Promise.all(ids.map((id) => real.find(id)));
    await Promise.all(queues.map((queue) => queue.close()));
    // Handlers that ignored their signal have ended by now, or do.
    await clock.sleep(30_000);
    return states;
  });

  const tally = { done: 0, dead: 0, cancelled: 0, queued: 0 };
  for (const [index, found] of counted.entries()) {
    assert.ok(found !== undefined, `${where}: ${ids[index]} is lost`);
    const times = succeeded.get(ids[index]!) ?? 0;
    assert.equal(
      times,
      found.state === 'delivered' ? 1 : 0,
      `${where}: ${ids[index]} done ${times} times`,
    );
    const end = (
      {
        delivered: 'done',
        dead: 'dead',
        withdrawn: 'cancelled',
        replaced: 'cancelled',
        queued: 'queued',
      } as const
    )[found.state];
    tally[end] += 1;
  }
  assert.equal(tally.queued, 0, `${where}: all have ended`);
  assert.deepEqual(violations, [], where);
  assert.equal(atWork, 0, where);
  assert.equal(clock.pendingTimers, 0, `${where}: no timer is left`);
  return tally;
}

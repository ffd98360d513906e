import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe, type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { redisServer, withServer } from '@holdfast/test-servers';
import fc from 'fast-check';
import { Redis } from 'ioredis';
import { redisCircuitStore } from '../../redis/redis-circuit-store.ts';
import { VirtualClock } from '../../testing/virtual-clock.ts';
import type { CircuitStore, NodeReport, SharedVerdict } from './circuit-store.ts';
import { memoryCircuitStore } from './memory-circuit-store.ts';

/** A store to try, and how to let time pass for it. */
interface Subject {
  readonly store: CircuitStore;
  elapse(ms: number): Promise<void>;
}

const SUBJECTS: Readonly<Record<string, (t: TestContext) => Promise<Subject | undefined>>> = {
  memory: async () => {
    const clock = new VirtualClock();
    return { store: memoryCircuitStore({ clock }), elapse: (ms) => clock.advance(ms) };
  },
  Redis: async (t) => {
    const store = await redisStore(t);
    // Its clock is its own; a little more makes up for both clocks' milliseconds.
    return store && { store, elapse: (ms) => sleep(ms + 20) };
  },
};

for (const [name, subject] of Object.entries(SUBJECTS)) {
  describe(`a circuit store in ${name}`, () => {
    test('opens when a quorum of the nodes that are alive finds it failing, and not before', async (t) => {
      const at = await start(t, subject);
      if (at === undefined) return;
      for (const node of ['a', 'b', 'c', 'd', 'e']) await at.says(node);
      const seen: unknown[] = [];
      for (const node of ['a', 'b', 'c']) {
        const { state, failing, nodes } = await at.says(node, { failing: true });
        seen.push([state, failing, nodes]);
      }
      assert.deepEqual(seen, [
        ['closed', 1, 5],
        ['closed', 2, 5],
        ['open', 3, 5],
      ]);
      const heard = await at.says('e');
      assert.deepEqual([heard.state, heard.mayProbe], ['open', false]);
      assert.ok(heard.retryAfterMs > 0 && heard.retryAfterMs <= 60_000);
    });

    test('never opens for one node, however few there are', async (t) => {
      const at = await start(t, subject);
      if (at === undefined) return;
      await at.says('a');
      assert.equal((await at.says('a', { failing: true })).state, 'closed');
      await at.says('b');
      assert.equal((await at.says('a', { failing: true })).state, 'closed');
    });

    test('does not count a node whose lease is over, nor what it had found', async (t) => {
      const at = await start(t, subject);
      if (at === undefined) return;
      for (const node of ['a', 'b', 'c']) await at.says(node);
      await at.says('a', { failing: true, leaseMs: 100 });
      await at.elapse(100);
      const { failing, nodes, state } = await at.says('b', { failing: true });
      assert.deepEqual([state, failing, nodes], ['closed', 1, 2]);
    });

    test('lets one node probe once the time is over, and another when that one falls silent', async (t) => {
      const at = await start(t, subject);
      if (at === undefined) return;
      // Long enough for Redis and this process to be slow together: its clock is not ours.
      await at.open({ openMs: 1_000 });
      const early = await at.says('c', { probeMs: 1_000 });
      await at.elapse(1_000);
      const none = await at.says('d', { probeMs: 0 });
      const first = await at.says('c', { probeMs: 1_000 });
      const second = await at.says('d', { probeMs: 1_000 });
      const again = await at.says('c', { probeMs: 1_000 });
      await at.elapse(1_000);
      const later = await at.says('d', { probeMs: 1_000 });
      assert.deepEqual(
        [early, none, first, second, again, later].map(({ mayProbe }) => mayProbe),
        [false, false, true, false, true, true],
      );
      assert.equal(first.retryAfterMs, 0);
    });

    test('closes for all when a probe went well, and what was found before is void', async (t) => {
      const at = await start(t, subject);
      if (at === undefined) return;
      const { era } = await at.open({ openMs: 1 });
      await at.elapse(1);
      await at.says('c', { probeMs: 60_000 });
      const stranger = await at.says('d', { probed: 'well' });
      const closed = await at.says('c', { probed: 'well' });
      assert.deepEqual(
        [stranger.state, closed.state, closed.failing, closed.nodes],
        ['open', 'closed', 0, 4],
      );
      assert.ok(closed.era > era);
      const late = await at.says('a', { failing: true, era });
      await at.says('b', { failing: true, era });
      assert.deepEqual([late.state, late.failing], ['closed', 0]);
      await at.says('a', { failing: true, era: closed.era });
      assert.equal((await at.says('b', { failing: true, era: closed.era })).state, 'open');
    });

    test('stays open when a probe fails, and lets others go before the one that failed', async (t) => {
      const at = await start(t, subject);
      if (at === undefined) return;
      await at.open({ openMs: 1 });
      await at.elapse(1);
      await at.says('c', { probeMs: 60_000 });
      const failed = await at.says('c', { probed: 'failing', openMs: 100 });
      assert.equal(failed.state, 'open');
      assert.ok(failed.retryAfterMs > 0 && failed.retryAfterMs <= 100);
      await at.elapse(100);
      const bad = await at.says('c', { probeMs: 60_000 });
      const other = await at.says('d', { probeMs: 60_000 });
      assert.deepEqual([bad.mayProbe, other.mayProbe], [false, true]);
    });

    test('lets the one that failed probe again when nobody else does', async (t) => {
      const at = await start(t, subject);
      if (at === undefined) return;
      await at.open({ openMs: 1 });
      await at.elapse(1);
      await at.says('c', { probeMs: 60_000 });
      await at.says('c', { probed: 'failing', openMs: 1, leaseMs: 100 });
      await at.elapse(101);
      assert.equal((await at.says('c', { probeMs: 100, leaseMs: 100 })).mayProbe, true);
    });

    test('keeps circuits apart', async (t) => {
      const at = await start(t, subject);
      if (at === undefined) return;
      await at.open({});
      const other = await at.store.exchange(randomUUID(), report('a', { era: 1 }));
      assert.deepEqual([other.state, other.nodes], ['closed', 1]);
    });
  });
}

test('Redis answers as memory does, whatever the nodes report', async (t) => {
  const redis = await redisStore(t);
  if (redis === undefined) return;
  const step = fc.record({
    node: fc.constantFrom('a', 'b', 'c', 'd'),
    failing: fc.boolean(),
    isOld: fc.nat(9).map((n) => n === 0),
    // Either at once or never within this test, since the two have clocks of their own.
    openMs: fc.constantFrom(0, 600_000),
    probeMs: fc.constantFrom(0, 600_000),
    probed: fc.constantFrom(undefined, undefined, 'well' as const, 'failing' as const),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40, size: 'max' }), async (steps) => {
      const circuit = randomUUID();
      const memory = memoryCircuitStore({ clock: new VirtualClock() });
      const eras = { memory: 0, redis: 0 };
      for (const { isOld, probed, ...said } of steps) {
        const how = { ...said, ...(probed === undefined ? {} : { probed }) };
        const told = (era: number) => report(said.node, { ...how, era: isOld ? 0.5 : era });
        const inMemory: SharedVerdict = await memory.exchange(circuit, told(eras.memory));
        const inRedis: SharedVerdict = await redis.exchange(circuit, told(eras.redis));
        const changed = [inMemory.era !== eras.memory, inRedis.era !== eras.redis];
        assert.equal(changed[0], changed[1], 'both begin a new era');
        Object.assign(eras, { memory: inMemory.era, redis: inRedis.era });
        const plain = (v: SharedVerdict) => ({ ...v, era: 0, retryAfterMs: v.retryAfterMs > 0 });
        assert.deepEqual(plain(inRedis), plain(inMemory));
      }
    }),
    { numRuns: 100 },
  );
});

test('Redis forgets a circuit that nobody uses', async (t) => {
  const server = await withServer(t, redisServer);
  if (server === undefined) return;
  const client = new Redis(server.url);
  t.after(() => client.disconnect());
  const store = redisCircuitStore(client, { prefix: 'mine:' });
  await store.exchange('c', report('a', { leaseMs: 60_000, probeMs: 0 }));
  const ttlMs = await client.pttl('mine:c');
  assert.ok(ttlMs > 60_000 && ttlMs <= 120_000, `${ttlMs} ms`);
});

async function start(t: TestContext, subject: (t: TestContext) => Promise<Subject | undefined>) {
  const given = await subject(t);
  if (given === undefined) return undefined;
  const circuit = randomUUID();
  let era = 0;
  const says = async (node: string, how: Partial<NodeReport> = {}) => {
    const verdict = await given.store.exchange(circuit, report(node, { era, ...how }));
    era = verdict.era;
    return verdict;
  };
  const open = async (how: Partial<NodeReport>) => {
    for (const node of ['a', 'b', 'c', 'd']) await says(node);
    await says('a', { failing: true });
    return says('b', { failing: true, ...how });
  };
  return { ...given, says, open };
}

const report = (node: string, how: Partial<NodeReport>): NodeReport => ({
  node,
  failing: false,
  era: 0,
  leaseMs: 60_000,
  openMs: 60_000,
  quorum: { nodes: 2, ratio: 0.5 },
  probeMs: 0,
  ...how,
});

async function redisStore(t: TestContext): Promise<CircuitStore | undefined> {
  const server = await withServer(t, redisServer);
  if (server === undefined) return undefined;
  const client = new Redis(server.url);
  t.after(() => client.disconnect());
  return redisCircuitStore(client);
}

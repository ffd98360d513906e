import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '@holdfast/core';
import { seededRandom } from '@holdfast/core/testing';
import { type Handling, outOfOrder, overlaps, unfinished } from '../crash/handlings.ts';
import { type Platform, platform } from '../crash/platform.ts';
import type { Victim } from '../crash/victim.ts';
import { eventually } from '../eventually.ts';
import type { PostgresSuite } from '../servers/postgres-suite.ts';

const SEED = Number(process.env.HOLDFAST_SEED ?? 1);
/** Nodes ended or stopped; the long run: `HOLDFAST_NODE_FAULTS=100`. */
const FAULTS = Number(process.env.HOLDFAST_NODE_FAULTS ?? 3);

/** The broker between relays and workers. The outbox, and the log of what was handled, are in PostgreSQL. */
export interface SharedBroker {
  /** For the processes: `postgres`, or the URL of another. */
  readonly where: string;
  /** What a node that died held waits this long. */
  readonly holdMs: number;
  /** Of a producer, after each group of events: so that no backlog outgrows the test. */
  readonly pauseMs: number;
  /** A worker takes for one event. */
  readonly handleMs: number;
  /** Makes the topic, and the group of the workers, so that all that is published reaches it. */
  begin(schema: string, topic: string, group: string): Promise<void>;
}

/** 2 producers, 3 relays and 4 workers, each a process, over one database and one broker. */
export function severalMachines(suite: PostgresSuite, shared: () => Promise<SharedBroker>): void {
  test('2 producers, 3 relays and 4 workers: no event twice in flight, each key in order, all at work', async (t) => {
    const nodes = await platform(t, suite, await shared());
    await eventually(
      () => nodes.ledger.accepted.size,
      (accepted) => accepted > 300,
      'there is traffic',
    );
    const done = await nodes.finish();

    const ids = done.map(({ id }) => id);
    assert.deepEqual(ids.toSorted(), [...nodes.ledger.accepted].toSorted());
    assert.deepEqual(overlaps(done), []);
    assert.deepEqual(outOfOrder(done), []);
    assertAllAtWork(done);
  });

  test(`${FAULTS} nodes killed or stopped: nothing is lost, and what they held is taken over when it is over`, async (t) => {
    const broker = await shared();
    const nodes = await platform(t, suite, broker);
    const faulty = await harm(nodes, FAULTS, broker.holdMs);
    const done = await nodes.finish();
    report(t, nodes, done, broker.holdMs);

    assertAllAtWork(done);
    assert.deepEqual(nodes.ledger.lost(new Set()), []);
    assert.deepEqual(nodes.ledger.outOfOrder, []);
    // A node that was stopped in the middle of one, or killed, is the only reason to have one twice.
    assert.deepEqual(
      overlaps(done).filter(([first]) => !faulty.has(first.worker)),
      [],
    );
  });
}

function assertAllAtWork(done: readonly Handling[]): void {
  const shares = [1, 2, 3, 4].map((which) => done.filter(({ worker }) => worker === which).length);
  assert.ok(Math.min(...shares) > 0, `a worker had nothing to do: ${shares.join(' + ')}`);
}

/** One after another, at moments of the seed. Returns the workers that were hit, as they are numbered. */
async function harm(
  { relays, workers }: Platform,
  faults: number,
  holdMs: number,
): Promise<ReadonlySet<number>> {
  const random = seededRandom(SEED);
  const faulty = new Set<number>();
  for (let fault = 0; fault < faults; fault += 1) {
    await sleep(200 + random.next() * 500);
    const relay = any(relays, random);
    const worker = any(workers, random);
    if (fault % 4 === 0) await killed(worker.node, holdMs * random.next());
    if (fault % 4 === 1) await stopped(worker.node, holdMs * 1.5);
    if (fault % 4 === 2) await killed(relay.node, 0);
    if (fault % 4 === 3) await stopped(relay.node, holdMs * 1.5);
    if (fault % 4 < 2) faulty.add(worker.number);
  }
  return faulty;
}

async function killed(node: Victim, awayMs: number): Promise<void> {
  await node.end('SIGKILL');
  await sleep(awayMs);
  await node.start();
}

async function stopped(node: Victim, awayMs: number): Promise<void> {
  node.signal('SIGSTOP');
  await sleep(awayMs);
  node.signal('SIGCONT');
}

function any(nodes: readonly Victim[], random: Random) {
  const at = Math.floor(random.next() * nodes.length);
  const node = nodes[at];
  if (node === undefined) throw new Error('unreachable: there are nodes');
  return { node, number: at + 1 };
}

function report(
  t: TestContext,
  { ledger }: Platform,
  done: readonly Handling[],
  holdMs: number,
): void {
  for (const { id, key } of done) {
    ledger.deliver({ id, key, topic: '', body: Buffer.alloc(0), headers: {}, delivery: 1 });
  }
  const takeOvers = unfinished(done).map(({ id, began }) => {
    const next = done.find((each) => each.id === id && each.began > began);
    assert.ok(next !== undefined, `${id} was taken over`);
    return ((next.began - began) / 1_000).toFixed(0);
  });
  t.diagnostic(
    `seed ${SEED}: accepted ${ledger.accepted.size}, duplicates ${ledger.duplicates}, lost ${ledger.lost(new Set()).length}, taken over after ${takeOvers.join(', ')} ms (held for ${holdMs} ms)`,
  );
}

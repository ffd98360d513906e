import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { NodeReport } from './circuit-store.ts';
import { exchange, NODE_LIMIT, newRecord } from './shared-record.ts';

/** Milliseconds that pass, and what a node then says; `late`: in an era that is over. */
const step = fc.record({
  waitMs: fc.constantFrom(0, 0, 1, 5, 10, 40, 200),
  node: fc.constantFrom('a', 'b', 'c', 'd'),
  failing: fc.boolean(),
  late: fc.nat(9).map((n) => n === 0),
  leaseMs: fc.constantFrom(20, 50, 1_000),
  openMs: fc.constantFrom(1, 10, 60),
  probeMs: fc.constantFrom(0, 10, 30),
  probed: fc.constantFrom(undefined, undefined, undefined, 'well' as const, 'failing' as const),
});
const quorum = fc.record({
  nodes: fc.integer({ min: 1, max: 3 }),
  ratio: fc.constantFrom(0.1, 0.5, 1),
});

test('a shared circuit is what a history of all reports makes of it, asked anew each time', () => {
  fc.assert(
    fc.property(quorum, fc.array(step, { maxLength: 60, size: 'max' }), (rule, steps) => {
      const record = newRecord(1);
      const model = historian();
      let nowMs = 1;
      for (const { late, probed, waitMs, ...said } of steps) {
        nowMs += waitMs;
        const era = late ? 0 : record.era;
        const report = { ...said, era, quorum: rule, ...(probed && { probed }) };
        const expected = model.hears(report, nowMs);
        const { era: now, ...verdict } = exchange(record, report, nowMs);
        assert.deepEqual({ ...verdict, changed: now !== era && !late }, expected);
      }
    }),
    { numRuns: 500 },
  );
});

test('a thousand nodes are kept count of; more are not, until one of these is gone', () => {
  const record = newRecord(1);
  const say = (node: string, nowMs: number, leaseMs: number) =>
    exchange(
      record,
      {
        ...{ node, era: record.era, failing: false, leaseMs, openMs: 10, probeMs: 0 },
        quorum: { nodes: 1, ratio: 1 },
      },
      nowMs,
    ).nodes;
  say('brief', 1, 10);
  for (let n = 1; n < NODE_LIMIT; n += 1) say(`node ${n}`, 1, 1_000);
  assert.deepEqual(
    [say('one more', 5, 1_000), say('brief', 5, 10), say('one more', 16, 1_000)],
    [NODE_LIMIT, NODE_LIMIT, NODE_LIMIT],
  );
  assert.deepEqual([record.nodes.has('brief'), record.nodes.has('one more')], [false, true]);
});

interface Heard extends NodeReport {
  readonly atMs: number;
  /** How often the circuit had closed by then; -1 for what was said of an era that is over. */
  readonly closings: number;
}

interface Grant {
  readonly node: string;
  readonly untilMs: number;
}

/** Remembers everything, and finds what is the case by going through it. */
function historian() {
  const heard: Heard[] = [];
  let closings = 0;
  let openUntilMs: number | undefined;
  let grant: Grant | undefined;
  let loser: string | undefined;

  /** The last report of each node that is alive. */
  const alive = (nowMs: number) => {
    const nodes = [...new Set(heard.map(({ node }) => node))];
    const last = nodes.map((name) => heard.findLast(({ node }) => node === name)!);
    return last.filter(({ atMs, leaseMs }) => nowMs < atMs + leaseMs);
  };

  const judgeProbe = ({ node, openMs, probed }: NodeReport, nowMs: number) => {
    if (openUntilMs === undefined || grant?.node !== node) return;
    grant = undefined;
    if (probed === 'failing') {
      loser = node;
      openUntilMs = nowMs + openMs;
    } else {
      loser = undefined;
      openUntilMs = undefined;
      closings += 1;
    }
  };

  const mayProbe = ({ leaseMs, node, probeMs }: NodeReport, nowMs: number, nodes: number) => {
    const isDue = openUntilMs !== undefined && nowMs >= openUntilMs;
    if (!isDue || probeMs === 0) return false;
    if (grant !== undefined && grant.node !== node && nowMs < grant.untilMs) return false;
    // Whoever's probe failed lets others go first, for the length of a lease.
    if (loser === node && nodes > 1 && nowMs < openUntilMs! + leaseMs) return false;
    grant = { node, untilMs: nowMs + probeMs };
    return true;
  };

  return {
    hears(report: NodeReport, nowMs: number) {
      const before = closings;
      const isOld = report.era === 0;
      if (!isOld && report.probed !== undefined) judgeProbe(report, nowMs);
      const isCurrent = !isOld && closings === before;
      heard.push({ ...report, atMs: nowMs, closings: isCurrent ? closings : -1 });
      const living = alive(nowMs);
      const failing = living.filter((one) => one.failing && one.closings === closings).length;
      const { nodes, ratio } = report.quorum;
      if (openUntilMs === undefined && failing >= nodes && failing / living.length >= ratio) {
        openUntilMs = nowMs + report.openMs;
      }
      return {
        state: openUntilMs === undefined ? ('closed' as const) : ('open' as const),
        retryAfterMs: openUntilMs === undefined ? 0 : Math.max(0, openUntilMs - nowMs),
        nodes: living.length,
        failing,
        mayProbe: mayProbe(report, nowMs, living.length),
        changed: closings !== before,
      };
    },
  };
}

import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { test } from 'node:test';
import { circuitBreaker } from '../breaker/breaker.ts';
import { retryBudget } from '../budget/retry-budget.ts';
import { bulkhead } from '../bulkhead/bulkhead.ts';
import { QUEUE_ORDERS } from '../bulkhead/gate.ts';
import { hedge } from '../hedge/hedge.ts';
import { type Pipeline, pipeline } from '../pipeline.ts';
import { type Call, CRITICALITIES, type Policy } from '../policy.ts';
import type { Random } from '../random.ts';
import { rateLimit } from '../rate-limit/rate-limit.ts';
import { retry } from '../retry/retry.ts';
import { seededRandom } from '../testing/seeded-random.ts';
import { virtualWorld } from '../testing/virtual-world.ts';
import { timeout } from '../timeout/timeout.ts';
import type { Operation } from './operation.ts';

/** Fewer under mutation (`npm run mutate`), where every survivor plays them all. */
const SEEDS = Number(process.env.HOLDFAST_SEEDS ?? 1_000) / 5;
const CALLS = 50;

test(`${SEEDS} mixtures of circuit, bulkhead, hedge, retry and rate never let more in than they say, at no moment`, async () => {
  for (let seed = 1; seed <= SEEDS; seed += 1) await playMixture(seed);
});

/**
 * Plays random calls against a random order of these policies. The function, and whoever listens, abort callers
 * and call the pipeline again at the worst moments; whatever is inside is counted right behind each policy.
 */
async function playMixture(seed: number): Promise<void> {
  const random = seededRandom(seed);
  const { clock, env, left } = virtualWorld({ seed });
  const gauges: Gauge[] = [];
  const callers: AbortController[] = [];
  const wrong = new Set<string>();
  // What is thrown there is a failure of the call, or nobody's.
  const look = () => {
    const { policies } = p.inspect();
    for (const gauge of gauges) for (const what of gauge.look(policies)) wrong.add(what);
  };
  const p = pipeline('mixture', randomMixture(random, gauges), {
    ...env,
    report: () => {
      look();
      // Whoever listens may do what it likes.
      if (random.next() < 0.01) oneOf(random, callers)?.abort('by a listener');
    },
  });
  const about = `seed ${seed}: ${p.explain().words.join(' ')}`;

  let settled = 0;
  let begun = 0;
  const call = async (depth: number): Promise<void> => {
    const caller = new AbortController();
    callers.push(caller);
    begun += 1;
    if (random.next() < 0.2) clock.timer(pick(random, 300), () => caller.abort('gone'));
    await p
      .execute(
        (attempt) => {
          look();
          if (random.next() < 0.03) caller.abort('by the function');
          if (depth < 2 && random.next() < 0.03) void call(depth + 1);
          return behave(random, attempt, clock);
        },
        {
          signal: caller.signal,
          deadlineMs: random.next() < 0.2 ? 1 + pick(random, 400) : 3_000,
          criticality: CRITICALITIES[pick(random, 4)],
          discard: () => {
            look();
            if (random.next() < 0.1) oneOf(random, callers)?.abort('by a discard');
          },
        },
      )
      .catch(() => {});
    settled += 1;
  };
  for (let n = 0; n < CALLS; n += 1) {
    await clock.advance(random.next() < 0.5 ? 0 : pick(random, 60));
    void call(0);
  }
  await clock.advance(20_000);

  look();
  assert.deepEqual([...wrong], [], about);
  assert.deepEqual([settled, left()], [begun, []], about);
  assert.ok(
    gauges.every(({ inside }) => inside.size === 0),
    `what is inside has gone, ${about}`,
  );
  const listeners = callers.flatMap(({ signal }) => getEventListeners(signal, 'abort'));
  assert.equal(listeners.length, 0, about);
}

/** What is inside of one policy. */
interface Gauge {
  readonly inside: Map<Operation, string>;
  /** Where more is in there than may be, or less than nothing, in words. */
  look(now: readonly Snapshot[]): readonly string[];
}

type Snapshot = ReturnType<Pipeline['inspect']>['policies'][number];
type Check = (now: Snapshot, inside: ReadonlyMap<Operation, string>) => Record<string, boolean>;

/** A policy and, right inside of it, one that counts. */
function gauged(policy: Policy, gauges: Gauge[], check: Check): Policy[] {
  const inside = new Map<Operation, string>();
  const own = (all: readonly Snapshot[]) => all.find(({ name }) => name === policy.name)!;
  gauges.push({
    inside,
    look(all) {
      const rules = check(own(all), inside);
      return Object.keys(rules).filter((rule) => !rules[rule]);
    },
  });
  const counting: Policy = {
    kind: 'retry',
    name: `inside ${policy.name}`,
    options: {},
    stage: () => ({
      policy: counting,
      enter(op, index) {
        const { circuit } = op.program.stages[index - 1]?.inspect?.() ?? {};
        inside.set(op, circuit === undefined ? '' : `${circuit.state} ${circuit.opened}`);
        return undefined;
      },
      leave: (op) => void inside.delete(op),
      abandon: (op) => void inside.delete(op),
      forecast: () => ({ words: 'counts.' }),
    }),
  };
  return [policy, counting];
}

function randomMixture(random: Random, gauges: Gauge[]): Policy[] {
  const budget = retryBudget({ minPerSecond: 5, windowMs: 1_000 });
  const makers = [0, 1, 2, 3, 4, 5].filter(() => random.next() < 0.8);
  if (random.next() < 0.3) makers.push(pick(random, 6));
  const order = makers.map((maker) => ({ maker, at: random.next() })).sort((a, b) => a.at - b.at);
  return order.flatMap(({ maker }, i) => oneOfMixture(maker, `${i}`, { random, gauges, budget }));
}

function oneOfMixture(
  maker: number,
  name: string,
  {
    random,
    gauges,
    budget,
  }: { random: Random; gauges: Gauge[]; budget: ReturnType<typeof retryBudget> },
): Policy[] {
  switch (maker) {
    case 0: {
      const halfOpenPermits = 1 + pick(random, 3);
      const circuit = circuitBreaker({
        name,
        consecutiveFailures: 1 + pick(random, 4),
        openMs: 1 + pick(random, 100),
        halfOpenPermits,
        successThreshold: 1 + pick(random, 3),
        halfOpenMaxMs: 1 + pick(random, 500),
        ignoreIf: (error) => error === 'ignored',
      });
      return gauged(circuit, gauges, ({ circuit: now }, inside) => {
        const { counts, opened, state } = now!;
        const probes = [...inside.values()].filter((when) => when === `half-open ${opened}`);
        return {
          'no count is negative': Object.values(counts).every((count) => count >= 0),
          [`${probes.length} probes at a time`]:
            state !== 'half-open' || probes.length <= halfOpenPermits,
        };
      });
    }
    case 1: {
      const limit = 1 + pick(random, 3);
      const queueLimit = pick(random, 5);
      const order = QUEUE_ORDERS[pick(random, 3)]!;
      const queueTimeoutMs = 1 + pick(random, 200);
      const gate = bulkhead({ name, limit, queueLimit, order, queueTimeoutMs });
      return gauged(gate, gauges, ({ bulkhead: now }, { size }) => {
        const { active, queued } = now!;
        return {
          [`${active} places taken, by ${size}`]: size <= active && active <= limit,
          [`${queued} waiting`]: queued >= 0 && queued <= queueLimit,
        };
      });
    }
    case 2:
      return [
        hedge({
          name,
          delayMs: pick(random, 60),
          maxHedges: 1 + pick(random, 3),
          failureWins: random.next() < 0.2,
          failureIfResult: (value) => value === 'poor',
          ...(random.next() < 0.3 ? { budget } : undefined),
        }),
      ];
    case 3:
      return [
        retry({
          name,
          maxRetries: 1 + pick(random, 3),
          delayMs: pick(random, 50),
          retryIfResult: (value) => value === 'poor',
          ...(random.next() < 0.3 ? { budget } : undefined),
        }),
      ];
    case 4: {
      const limit = 1 + pick(random, 10);
      const maxWaitMs = pick(random, 2) * 300;
      const rate = rateLimit({ name, limit, intervalMs: 100, maxWaitMs });
      return gauged(rate, gauges, ({ rate: now }) => ({
        [`${now!.waiting} waiting for a rate`]: now!.waiting >= 0,
      }));
    }
    default:
      return [timeout({ name, limitMs: 1 + pick(random, 200) })];
  }
}

function behave(random: Random, { signal }: Call, clock: ReturnType<typeof virtualWorld>['clock']) {
  const ms = pick(random, 120);
  const ways: readonly (() => unknown)[] = [
    () => 'at once',
    () => {
      throw new Error('at once');
    },
    () => new Promise(() => {}),
    () => clock.sleep(ms).then(() => Promise.reject(new Error('down'))),
    () => Promise.reject('ignored'),
    () => clock.sleep(ms).then(() => 'poor'),
    () => clock.sleep(ms, signal).then(() => 'well'),
    () => clock.sleep(ms).then(() => 'well'),
  ];
  return oneOf(random, ways)?.();
}

const oneOf = <T>(random: Random, all: readonly T[]): T | undefined =>
  all[pick(random, all.length)];

/** A whole number from 0 to below `n`. */
const pick = (random: Random, n: number) => Math.floor(random.next() * n);

import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import {
  adaptiveLimit,
  bulkhead,
  cache,
  circuitBreaker,
  createRegistry,
  fallback,
  fault,
  hedge,
  type Policy,
  pipeline,
  rateLimit,
  retry,
  shed,
  throttle,
  timeout,
} from '@holdfast/core';
import { type Make, rivals, type Work } from './rivals.ts';
import { type Contestant, timeCalls } from './time-calls.ts';

const ROUNDS = 5;
/**
 * Rounds here are short: after two of them the compiler is still at it, and what is timed is who has less code.
 * A bulkhead with 1,000 calls at once took 8.6 µs a call in its first 10,000 calls, 2 after 70,000 and 1.3 after
 * 250,000; p-limit, at the same moments, 4.7, 2.3 and 1.6. A cache hit: 4.5 µs, 0.9 after 30,000, then 0.6.
 */
const WARM_UP = 20;
const ABREAST = 1_000;

const answer: Work = async () => 1;
const fail: Work = async () => {
  throw new Error('down');
};

/** Keeps a place for ever: who comes after it is refused. */
const hang: Work = () => new Promise(() => {});

/** Each policy alone, as a user would write it; `, full` is the same one without a place left. */
const OURS: Readonly<Record<string, () => Policy>> = {
  retry: () => retry({ maxRetries: 3, delayMs: 0 }),
  timeout: () => timeout({ limitMs: 1_000 }),
  circuitBreaker: () => circuitBreaker({ openMs: 1_000_000 }),
  bulkhead: () => bulkhead({ limit: 100, queueLimit: 1_000 }),
  'bulkhead, full': () => bulkhead({ limit: 1, queueLimit: 0 }),
  rateLimit: () => rateLimit({ limit: 1_000_000, intervalMs: 1 }),
  'rateLimit, full': () => rateLimit({ limit: 1, intervalMs: 1_000_000 }),
  fallback: () => fallback({ steps: [() => 0] }),
  adaptiveLimit: () => adaptiveLimit({ initialLimit: 2_000, maxLimit: 2_000 }),
  'adaptiveLimit, full': () => adaptiveLimit({ minLimit: 1, initialLimit: 1, maxLimit: 1 }),
  throttle: () => throttle(),
  shed: () => shed(),
  hedge: () => hedge({ delayMs: 1_000 }),
  cache: () => cache(),
  fault: () => fault({ ratio: 0, inject: 'error' }),
};

const FULL = Object.keys(OURS).filter((policy) => policy.endsWith(', full'));
const USUAL = Object.keys(OURS).filter((policy) => !FULL.includes(policy));
/** Where a call that fails is not what `refused` times, and is not simply repeated. */
const FAILING = ['timeout', 'bulkhead', 'rateLimit', 'fallback', 'adaptiveLimit', 'hedge'];

/** Situations, and for which policies each is one. `first` is called once and not waited for. */
const SITUATIONS: ReadonlyArray<{
  readonly name: string;
  readonly work: Work;
  readonly first?: Work;
  readonly policies: readonly string[];
}> = [
  { name: 'success', work: answer, policies: USUAL },
  { name: 'failure', work: fail, policies: FAILING },
  { name: 'refused', work: fail, policies: ['circuitBreaker'] },
  { name: 'refused', work: answer, first: hang, policies: FULL },
];
const AT_ONCE = [1, ABREAST];

/** Times of one policy in every situation, in nanoseconds a call; ours is called holdfast. */
export interface PolicyTimes {
  readonly situation: string;
  readonly ns: Readonly<Record<string, number>>;
}

/**
 * Prints each policy alone beside the rivals that have it, each in a process of
 * its own: alone is alone for the compiler as well.
 */
export function benchPolicies(): void {
  const behind: string[] = [];
  console.log('\n| policy alone | situation | ns a call | rivals, as multiples of ours |');
  console.log('|---|---|---:|---|');
  for (const policy of Object.keys(OURS)) {
    const args = ['--conditions=source', join(import.meta.dirname, 'policy-process.ts'), policy];
    const output = execFileSync(process.execPath, args, { encoding: 'utf8' });
    for (const { situation, ns } of JSON.parse(output) as PolicyTimes[]) {
      const { holdfast = Number.NaN, ...others } = ns;
      const shown = Object.entries(others).map(
        ([name, each]) => `${name} ${(each / holdfast).toFixed(1)}`,
      );
      console.log(
        `| ${policy} | ${situation} | ${holdfast.toFixed(0)} | ${shown.join(', ') || 'none has it'} |`,
      );
      for (const [name, each] of Object.entries(others)) {
        if (each < holdfast) behind.push(`${policy}, ${situation}, ${name}`);
      }
    }
  }
  for (const row of behind) console.log(`behind: ${row}: ${why(row)}`);
  if (behind.length === 0) console.log('\nahead in every row');
}

/** What is known to be behind, and why; told apart by the end of the row's name. */
function why(row: string): string {
  if (row.includes(', failure,')) {
    return 'most of it is the error’s own stack, which has the frames of the engine in it.';
  }
  if (row.includes(', success') && row.endsWith('cockatiel')) {
    return 'about even: its policy alone has no call context, signal or time limits to carry; ours alone pays for the engine that all of them share.';
  }
  return 'no reason is known.';
}

/** One policy in every situation that is one for it. */
export async function timePolicy(policy: string): Promise<readonly PolicyTimes[]> {
  const all = await rivals();
  const registry = createRegistry();
  const times: PolicyTimes[] = [];
  const mine = SITUATIONS.filter(({ policies }) => policies.includes(policy));
  for (const abreast of AT_ONCE) {
    for (const { name, work, first } of mine) {
      const situation = abreast === 1 ? name : `${name}, ${abreast} at once`;
      const ours: Make = () => {
        const p = pipeline(`${policy} ${situation}`, [OURS[policy]!()], { registry });
        return (one) => p.execute(one, CALL);
      };
      const contestants: Contestant[] = [];
      for (const [rival, make] of Object.entries({ holdfast: ours, ...all[policy] })) {
        contestants.push(await contestant(rival, make(), { work, first }, abreast));
      }
      const ns = await timeCalls(contestants, ROUNDS, WARM_UP);
      times.push({
        situation,
        ns: Object.fromEntries(Array.from(ns, ([each, sum]) => [each, sum / abreast])),
      });
    }
  }
  return times;
}

/** What the cache keeps its answer by; the others do not look at it. */
const CALL = { cacheKey: 'one' };

async function contestant(
  name: string,
  call: (work: Work) => PromiseLike<unknown>,
  { work, first }: { readonly work: Work; readonly first: Work | undefined },
  abreast: number,
): Promise<Contestant> {
  if (first !== undefined) void call(first);
  const quiet = () => call(work).then(undefined, ignore);
  // Circuits open in the first of these: what is timed then is a refusal.
  for (let n = 0; n < 20; n += 1) await quiet();
  const once = abreast === 1 ? quiet : () => Promise.all(Array.from({ length: abreast }, quiet));
  return { name, call: once, calls: abreast === 1 ? 5_000 : 10 };
}

function ignore(): void {}

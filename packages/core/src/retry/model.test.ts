import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { pipeline } from '../pipeline.ts';
import type { Call } from '../policy.ts';
import { virtualWorld } from '../testing/virtual-world.ts';
import { retry } from './retry.ts';

const KINDS = ['well', 'again', 'down', 'hopeless', 'bug', 'refused', 'ours'] as const;

/** How one attempt goes: how long it takes, and what comes of it. */
const attempt = fc.record({
  tookMs: fc.constantFrom(0, 1, 7, 30),
  kind: fc.constantFrom('down' as const, 'down' as const, ...KINDS),
});
type Attempt = typeof attempt extends fc.Arbitrary<infer T> ? T : never;

const rules = fc.record({
  maxRetries: fc.constantFrom(0, 1, 3, 6, Infinity),
  backoff: fc.constantFrom('constant' as const, 'linear' as const, 'exponential' as const),
  delayMs: fc.constantFrom(0, 1, 10, 25),
  factor: fc.constantFrom(1, 2, 3),
  maxDelayMs: fc.constantFrom(25, 60, 1_000),
  maxElapsedMs: fc.constantFrom(40, 200, Infinity),
});
type Rules = typeof rules extends fc.Arbitrary<infer T> ? T : never;

const call = fc.record({
  idempotent: fc.boolean(),
  deadlineMs: fc.constantFrom(50, 150, 5_000),
});
type Given = typeof call extends fc.Arbitrary<infer T> ? T : never;

test('a retry does what a slow, obvious loop does, whatever its rules and whatever the attempts come to', async () => {
  const script = fc.array(attempt, { minLength: 12, maxLength: 12 });
  await fc.assert(
    fc.asyncProperty(rules, call, script, async (rule, given, attempts) => {
      assert.deepEqual(await play(rule, given, attempts), loop(rule, given, attempts));
    }),
    { numRuns: 1_000 },
  );
});

/** When each attempt began, how the call ended, and when. */
interface Seen {
  readonly beganMs: readonly number[];
  readonly end: string;
  readonly endedMs: number;
}

async function play(rule: Rules, given: Given, attempts: readonly Attempt[]): Promise<Seen> {
  const { clock, env, left, play } = virtualWorld();
  const policy = retry({
    ...rule,
    jitter: 'none',
    retryIf: (error) => !['hopeless', 'ours'].includes((error as Error).message),
    retryIfResult: (value) => value === 'again',
  });
  const p = pipeline('p', [policy], env);
  const beganMs: number[] = [];
  const { error, value, tookMs } = await play(() =>
    p.execute(async ({ signal }: Call) => {
      const { kind, tookMs: ms } = attempts[beganMs.push(clock.now()) - 1] ?? LAST;
      await clock.sleep(ms, signal);
      return outcomeOf(kind);
    }, given),
  );
  assert.deepEqual(left(), []);
  return { beganMs, end: String(error ?? value), endedMs: tookMs };
}

/** A script that is used up: whoever retries for ever then gets an answer. */
const LAST: Attempt = { kind: 'well', tookMs: 0 };

function outcomeOf(kind: Attempt['kind']): string {
  switch (kind) {
    case 'well':
    case 'again':
      return kind;
    case 'bug':
      throw new RangeError('bug');
    case 'refused':
      // Nothing can have been sent: even what must not happen twice is tried again.
      throw Object.assign(new Error('refused'), { code: 'ECONNREFUSED' });
    case 'ours':
      throw Object.assign(new Error('ours'), { name: 'AbortError' });
    default:
      throw new Error(kind);
  }
}

function loop(rule: Rules, { deadlineMs, idempotent }: Given, attempts: readonly Attempt[]): Seen {
  const beganMs: number[] = [];
  const overtime = `DeadlineExceededError: The caller of "p" gave it ${deadlineMs} ms, and they are over.`;
  let nowMs = 0;
  for (let retries = 0; ; retries += 1) {
    beganMs.push(nowMs);
    const { kind, tookMs } = attempts[retries] ?? LAST;
    nowMs += tookMs;
    if (nowMs >= deadlineMs && tookMs > 0) return { beganMs, end: overtime, endedMs: deadlineMs };
    const end = saidOf(kind);
    const stop = { beganMs, end, endedMs: nowMs };
    if (kind === 'well' || kind === 'bug' || kind === 'hopeless') return stop;
    if (kind === 'ours' || retries === rule.maxRetries) return stop;
    if (!idempotent && kind !== 'refused') return stop;
    const grown = {
      constant: rule.delayMs,
      linear: rule.delayMs * (retries + 1),
      exponential: rule.delayMs * rule.factor ** retries,
    }[rule.backoff];
    const waitMs = Math.min(grown, rule.maxDelayMs);
    if (nowMs + waitMs > rule.maxElapsedMs) return stop;
    if (nowMs + waitMs >= deadlineMs) return stop;
    nowMs += waitMs;
  }
}

function saidOf(kind: Attempt['kind']): string {
  if (kind === 'well' || kind === 'again') return kind;
  return kind === 'bug'
    ? 'RangeError: bug'
    : kind === 'ours'
      ? 'AbortError: ours'
      : `Error: ${kind}`;
}

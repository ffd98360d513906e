import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { bulkhead } from '../bulkhead/bulkhead.ts';
import { pipeline } from '../pipeline.ts';
import { VirtualClock } from '../testing/virtual-clock.ts';
import { hedge } from './hedge.ts';

interface Attempt {
  readonly takesMs: number;
  readonly fails: boolean;
}

interface Rules {
  readonly delayMs: number;
  readonly maxHedges: number;
  readonly failureWins: boolean;
}

interface Happened {
  /** The number of the attempt whose outcome it is, negative for a failure. */
  readonly outcome: number;
  readonly endedMs: number;
  readonly startedMs: readonly number[];
  readonly discarded: readonly number[];
}

const anyRules = fc.record({
  // Starts fall on tens and ends beside them, each attempt's on a digit of its own: nothing is simultaneous.
  delayMs: fc.integer({ min: 1, max: 20 }).map((tens) => tens * 10),
  maxHedges: fc.integer({ min: 1, max: 4 }),
  failureWins: fc.boolean(),
});
const anyAttempts = fc
  .array(fc.record({ tens: fc.nat(40), fails: fc.boolean() }), { minLength: 5, maxLength: 5 })
  .map((all) => all.map(({ tens, fails }, i) => ({ takesMs: tens * 10 + 3 + i, fails })));

test('a race goes as one would that is played millisecond by millisecond', async () => {
  await fc.assert(
    fc.asyncProperty(anyRules, anyAttempts, async (rules, attempts) => {
      assert.deepEqual(await race(rules, attempts), play(rules, attempts));
    }),
    { numRuns: 500 },
  );
});

test('a hedge that waits for the first attempt’s place has it where that fails, and does not begin where it answers', async () => {
  for (const firstFails of [false, true]) {
    const clock = new VirtualClock();
    const discarded: unknown[] = [];
    const policies = [hedge({ delayMs: 10 }), bulkhead({ limit: 1, queueLimit: 1 })];
    const p = pipeline('p', policies, { clock, registry: undefined });
    const outcome = await clock.run(() =>
      p.execute<string>(
        async ({ attempt }) => {
          if (attempt === 1) await clock.sleep(50);
          if (attempt === 1 && firstFails) throw new Error('down');
          return `no. ${attempt}`;
        },
        { discard: (value) => discarded.push(value) },
      ),
    );
    const atOnce = await clock.run(() =>
      p.execute<string>(
        ({ attempt }) => {
          if (attempt === 2) return 'no. 2';
          return clock.sleep(50).then(() => {
            if (firstFails) throw new Error('down');
            return 'no. 1';
          });
        },
        { discard: (value) => discarded.push(value) },
      ),
    );
    const { bulkhead: gate } = p.inspect().policies[1]!;
    const answer = firstFails ? 'no. 2' : 'no. 1';
    assert.deepEqual(
      [outcome, atOnce, discarded, gate, clock.pendingTimers],
      [answer, answer, [], { active: 0, queued: 0 }, 0],
    );
  }
});

/** The slow, obvious race. */
function play({ delayMs, maxHedges, failureWins }: Rules, attempts: readonly Attempt[]): Happened {
  const startedMs: number[] = [];
  const running = new Set<number>();
  let firstFailed = false;
  for (let nowMs = 0; ; nowMs += 1) {
    if (nowMs % delayMs === 0 && nowMs / delayMs <= maxHedges) {
      running.add(startedMs.length);
      startedMs.push(nowMs);
    }
    for (const i of running) {
      const { takesMs, fails } = attempts[i]!;
      if (nowMs !== startedMs[i]! + takesMs) continue;
      running.delete(i);
      if (i === 0) firstFailed = fails;
      const allFailed = fails && firstFailed && running.size === 0;
      if (fails && !failureWins && !allFailed) continue;
      const winner = allFailed && !failureWins ? 0 : i;
      return {
        outcome: fails ? -(winner + 1) : winner + 1,
        endedMs: nowMs,
        startedMs,
        // They go on, aborted or not, and answer in the end.
        discarded: [...running].filter((other) => !attempts[other]!.fails).map((n) => n + 1),
      };
    }
  }
}

/** The real one, of functions that ignore their signal. */
async function race(rules: Rules, attempts: readonly Attempt[]): Promise<Happened> {
  const clock = new VirtualClock();
  const p = pipeline('p', [hedge(rules)], { clock, registry: undefined });
  const startedMs: number[] = [];
  const discarded: number[] = [];
  const outcome = await clock.run(() =>
    p
      .execute(
        async ({ attempt }) => {
          startedMs.push(clock.now());
          const { takesMs, fails } = attempts[attempt - 1]!;
          await clock.sleep(takesMs);
          if (fails) throw new Error(String(attempt));
          return attempt;
        },
        { discard: (value) => discarded.push(value) },
      )
      .catch((error: Error) => -Number(error.message)),
  );
  const endedMs = clock.now();
  await clock.advance(2_000);
  assert.deepEqual([clock.pendingTimers, p.inspect().inFlight], [0, 0], 'nothing is left');
  return { outcome, endedMs, startedMs, discarded: discarded.sort((a, b) => a - b) };
}

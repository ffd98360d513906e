import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { bulkhead } from '../bulkhead/bulkhead.ts';
import { pipeline } from '../pipeline.ts';
import { virtualWorld } from '../testing/virtual-world.ts';
import { fault } from './fault.ts';

const step = fc.record({
  waitMs: fc.constantFrom(0, 1, 10, 35),
  does: fc.constantFrom('call', 'call', 'call', 'stop', 'allow'),
});

const rules = fc.record({
  inject: fc.constantFrom('latency' as const, 'hang' as const),
  delayMs: fc.constantFrom(0, 5, 40),
  forMs: fc.constantFrom(1, 30, 120),
  /** With a policy inside it the fault stands in front of that, and not in place of the function. */
  isInnermost: fc.boolean(),
});

test('a fault holds back whom a list of what happened says, and for so long', async () => {
  const steps = fc.array(step, { maxLength: 25, size: 'max' });
  await fc.assert(
    fc.asyncProperty(rules, steps, async ({ isInnermost, ...rule }, history) => {
      const { clock, env, left, registry } = virtualWorld();
      const options = rule.inject === 'hang' ? { ...rule, inject: 'hang' as const } : rule;
      const policies = [
        fault({ ratio: 1, ...options } as Parameters<typeof fault>[0]),
        ...(isInnermost ? [] : [bulkhead({ limit: 100 })]),
      ];
      const p = pipeline('p', policies, env);
      const ended: number[] = [];
      const calls: Promise<unknown>[] = [];
      for (const { does, waitMs } of history) {
        await clock.advance(waitMs);
        if (does === 'stop') registry.faults.stop();
        else if (does === 'allow') registry.faults.allow();
        else {
          const n = calls.length;
          const end = () => {
            ended[n] = clock.now();
          };
          calls.push(p.execute(() => 'well').then(end));
        }
      }
      await clock.advance(1_000);
      await Promise.all(calls);
      assert.deepEqual([ended, left()], [endsOf(rule, history), []]);
    }),
    { numRuns: 500 },
  );
});

/** When each call ends, told from the whole history. */
function endsOf(
  { delayMs, forMs, inject }: { delayMs: number; forMs: number; inject: string },
  history: readonly { readonly waitMs: number; readonly does: string }[],
): number[] {
  let atMs = 0;
  const moments = history.map(({ does, waitMs }) => {
    atMs += waitMs;
    return { does, atMs };
  });
  return moments.flatMap(({ atMs: beganMs, does }, i) => {
    if (does !== 'call') return [];
    const said = moments.slice(0, i).findLast((one) => one.does !== 'call')?.does;
    if (said === 'stop' || beganMs >= forMs) return [beganMs];
    const dueMs = inject === 'hang' ? forMs : Math.min(forMs, beganMs + delayMs);
    const stopped = moments.slice(i).find((one) => one.does === 'stop');
    return [Math.min(dueMs, stopped?.atMs ?? Infinity)];
  });
}

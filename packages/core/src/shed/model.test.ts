import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { pipeline } from '../pipeline.ts';
import { CRITICALITIES } from '../policy.ts';
import { virtualWorld } from '../testing/virtual-world.ts';
import { shed } from './shed.ts';

const levels = fc
  .array(fc.constantFrom(0, 10, 20, 50, 100, Infinity), { minLength: 4, maxLength: 4 })
  .map((some) => some.sort((a, b) => b - a));

test('whom shedding refuses is what each criticality by itself would say, whatever the load does', async () => {
  const calls = fc.array(fc.record({ load: fc.integer({ min: 0, max: 120 }), rank: fc.nat(3) }), {
    maxLength: 30,
    size: 'max',
  });
  await fc.assert(
    fc.asyncProperty(levels, fc.constantFrom(0, 0.5, 0.9, 1), calls, async (some, until, steps) => {
      const { env, play } = virtualWorld();
      let load = 0;
      const from = Object.fromEntries(CRITICALITIES.map((each, rank) => [each, some[rank]!]));
      const p = pipeline('p', [shed({ from, until, probe: { load: () => load } })], env);
      const isShed = CRITICALITIES.map(() => false);
      for (const step of steps) {
        load = step.load;
        for (const [rank, level] of some.entries()) {
          isShed[rank] = load >= (isShed[rank] ? level * until : level);
        }
        const criticality = CRITICALITIES[step.rank]!;
        const { value } = await play(() => p.execute(() => 'served', { criticality }));
        assert.equal(value, isShed[step.rank] ? undefined : 'served');
      }
    }),
    { numRuns: 200 },
  );
});

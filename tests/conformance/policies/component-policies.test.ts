import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { COMPONENT_POLICIES, POLICIES } from '../cases/component-policies.ts';
import type { PolicyCase } from '../cases/failing-calls.ts';
import { bothMakes, type Make } from '../makes/both-makes.ts';
import { type PoliciesWorld, policiesWorld } from './policies-world.ts';

/** A component for each case: no circuit is another's. */
const CASES = COMPONENT_POLICIES.map(
  (one, at) => [`${one.title.startsWith('in-bulk') ? 'in-bulk' : 'of'}-${at}x`, one] as const,
);

await bothMakes(conformance);

/** What `targets.components` of a Resiliency does to calls of components that fail. */
function conformance(make: Make, executable: string | undefined): void {
  describe(`${make}, outbound policies of components`, () => {
    let world: PoliciesWorld;
    before(async () => {
      world = await policiesWorld(
        executable,
        POLICIES,
        CASES.map(([name, { of, policies }]) => ({
          ...{ name, policies, type: `${of}.scripted` },
          metadata: { direction: 'output', keyPrefix: 'none' },
        })),
      );
    });
    after(() => world?.stop());

    for (const [name, one] of CASES) {
      const { calls, counted, of, script, title } = one;
      const expected: PolicyCase = make === 'daprd' ? { ...one, ...one.daprd } : one;
      test(`${of}, ${title}`, async () => {
        world.component.script(name, script);
        const answers: string[] = [];
        for (const call of calls) {
          // Longer than `brief`'s circuit is open.
          if (call === 'wait') await sleep(150);
          else answers.push(await world.ask(call, name));
        }
        assert.deepEqual(answers, expected.answers);
        assert.equal(world.component.asked(name).join(' '), expected.asked);
        if (counted !== undefined) {
          assert.deepEqual(await world.counted(name), expected.counted);
        }
      });
    }
  });
}

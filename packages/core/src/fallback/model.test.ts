import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { pipeline } from '../pipeline.ts';
import { virtualWorld } from '../testing/virtual-world.ts';
import { fallback } from './fallback.ts';

const step = fc.record({
  kind: fc.constantFrom('cached' as const, 'default' as const, 'replica' as const),
  does: fc.constantFrom('answer', 'answer late', 'throw', 'reject late'),
  asked: fc.constantFrom('always', 'for it', 'not for it', 'throws'),
});

test('a ladder answers with the first step that may and can, and else fails as the call did', async () => {
  const steps = fc.array(step, { minLength: 1, maxLength: 6 });
  await fc.assert(
    fc.asyncProperty(steps, fc.boolean(), async (ladder, fails) => {
      const { clock, env, left, play } = virtualWorld();
      const asked: number[] = [];
      const discarded: unknown[] = [];
      const policy = fallback({
        fallbackIfResult: (result) => result === 'poor',
        steps: ladder.map(({ asked: when, does, kind }, i) => ({
          kind,
          answer: async () => {
            asked.push(i);
            if (does.endsWith('late')) await clock.sleep(10);
            if (does === 'throw' || does === 'reject late') throw new Error(`step ${i}`);
            return i;
          },
          ...(when !== 'always' && { answerIf: () => judge(when) }),
        })),
      });
      let told: unknown;
      const { error, tookMs, value } = await play(() =>
        pipeline('p', [policy], env).execute(
          (): unknown => (fails ? Promise.reject(new Error('down')) : 'poor'),
          {
            onDegraded: (how) => {
              told = how.kind;
            },
            discard: (result) => discarded.push(result),
          },
        ),
      );

      const may = ladder.map(({ asked: when }) => when === 'always' || when === 'for it');
      const can = ladder.map(({ does }) => does.startsWith('answer'));
      const first = ladder.findIndex((_, i) => may[i] && can[i]);
      const tried = [...ladder.keys()].filter((i) => may[i] && (first < 0 || i <= first));
      const late = tried.filter((i) => ladder[i]!.does.endsWith('late'));
      assert.deepEqual(
        {
          asked,
          end: error === undefined ? value : String(error),
          discarded,
          told,
          tookMs,
          left: left(),
        },
        {
          asked: tried,
          end: first >= 0 ? first : fails ? 'Error: down' : 'poor',
          discarded: first < 0 || fails ? [] : ['poor'],
          told: ladder[first]?.kind,
          tookMs: 10 * late.length,
          left: [],
        },
      );
    }),
    { numRuns: 500 },
  );
});

function judge(when: string): boolean {
  if (when === 'throws') throw new Error('no judgement');
  return when === 'for it';
}

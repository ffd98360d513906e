import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { bulkhead } from '../bulkhead/bulkhead.ts';
import type { PolicyEvent } from '../events.ts';
import { pipeline } from '../pipeline.ts';
import { virtualWorld } from '../testing/virtual-world.ts';
import { timeout } from '../timeout/timeout.ts';
import { hedge } from './hedge.ts';
import type { HedgeOptions } from './options.ts';

describe('a call that its caller ends while one of its hedges decides it is counted down once', () => {
  test('in the predicate', async () => {
    assert.deepEqual(await raceOf((gone) => ({ failureIfResult: gone })), ['gone', ['hedge']]);
  });

  test('in a predicate that throws', async () => {
    const broken = (gone: () => boolean) => () => {
      gone();
      throw new Error('broken predicate');
    };
    const ended = await raceOf((gone) => ({ failureIfResult: broken(gone) }));
    assert.deepEqual(ended, ['gone', ['hedge']]);
  });

  test('in discard, of a hedge’s result that is no answer: the first attempt’s failure stands', async () => {
    const poor = () => ({ failureIfResult: () => true });
    const ended = await raceOf(poor, { firstFailsAfterMs: 15, hearsIn: 'discard' });
    assert.deepEqual(ended, ['Error: down', ['hedge']]);
  });

  test('in discard, while the first attempt is still under way', async () => {
    const poor = () => ({ failureIfResult: () => true });
    assert.deepEqual(await raceOf(poor, { hearsIn: 'discard' }), ['gone', ['hedge']]);
  });

  test('in the signal of the attempt that lost: it has its answer', async () => {
    assert.deepEqual(await raceOf(() => ({}), { hearsIn: 'signal' }), ['hedge', []]);
  });
});

test('a hedge whose caller leaves when he hears that its time is over gives its place back once', async () => {
  const { env, play, clock } = virtualWorld();
  const caller = new AbortController();
  const policies = [hedge({ delayMs: 10 }), bulkhead({ limit: 2 }), timeout({ limitMs: 50 })];
  const report = ({ type }: PolicyEvent) => {
    if (type === 'timeout' && clock.now() === 60) caller.abort('gone');
  };
  const p = pipeline('p', policies, { ...env, report });
  const { error, tookMs } = await play(() =>
    p.execute(() => new Promise(() => {}), { signal: caller.signal }),
  );
  await clock.advance(100);
  const { inFlight, policies: now } = p.inspect();
  assert.deepEqual(
    [error, tookMs, inFlight, now[1]?.bulkhead],
    ['gone', 60, 0, { active: 0, queued: 0 }],
  );
});

/**
 * How a call ends, and what was discarded, whose first attempt hangs or fails and whose hedge, begun after 10 ms,
 * has a result at 30 ms. `gone` aborts the call, as does whoever hears of it in `hearsIn`.
 */
async function raceOf(
  options: (gone: () => boolean) => HedgeOptions,
  { firstFailsAfterMs = Infinity, hearsIn }: { firstFailsAfterMs?: number; hearsIn?: string } = {},
): Promise<[ended: string, discarded: readonly unknown[]]> {
  const { clock, env, left, play } = virtualWorld();
  const caller = new AbortController();
  const gone = () => {
    caller.abort('gone');
    return false;
  };
  const p = pipeline('p', [hedge({ delayMs: 10, ...options(gone) })], env);
  const discarded: unknown[] = [];
  const { error, value } = await play(() =>
    p.execute<string>(
      async (call) => {
        if (call.attempt === 2) return clock.sleep(20).then(() => 'hedge');
        if (hearsIn === 'signal') call.onAbort(gone);
        if (firstFailsAfterMs === Infinity) return new Promise(() => {});
        await clock.sleep(firstFailsAfterMs);
        throw new Error('down');
      },
      {
        signal: caller.signal,
        discard: (result) => {
          discarded.push(result);
          if (hearsIn === 'discard') gone();
        },
      },
    ),
  );
  await clock.advance(100);
  assert.deepEqual([p.inspect().inFlight, left()], [0, []]);
  return [String(error ?? value), discarded];
}

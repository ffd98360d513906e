import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { bulkhead } from '../bulkhead/bulkhead.ts';
import { cache } from '../cache/cache.ts';
import type { PolicyEvent } from '../events.ts';
import { hedge } from '../hedge/hedge.ts';
import { pipeline } from '../pipeline.ts';
import type { Policy } from '../policy.ts';
import { rateLimit } from '../rate-limit/rate-limit.ts';
import { virtualWorld } from '../testing/virtual-world.ts';

describe('a call that its caller ends when he hears what becomes of its wait ends once', () => {
  for (const type of ['queued', 'refused'] as const) {
    test(`another has its place in a queue (${type}): it gave back a place that it never had`, async () => {
      const order = bulkhead({ limit: 1, queueLimit: 1, order: 'criticality' });
      const ends = await heard([order], type, (execute, clock) => [
        execute({ run: () => clock.sleep(50), criticality: 'critical' }),
        execute({ criticality: 'sheddable', leaves: true }),
        execute({ criticality: 'critical-plus' }),
      ]);
      assert.deepEqual(ends, ['well', 'BULKHEAD_FULL', 'well']);
    });
  }

  test('a store refuses it, or fails', async () => {
    const none = { take: async () => ({ taken: false, waitMs: 5 }) };
    const down = { take: () => Promise.reject(new Error('down')) };
    for (const [store, type] of [
      [none, 'refused'],
      [down, 'store-failed'],
    ] as const) {
      const rate = rateLimit({ limit: 1, store });
      const ends = await heard([rate], type, (execute) => [execute({ leaves: true })]);
      assert.deepEqual(ends, [type === 'refused' ? 'RATE_LIMITED' : 'gone']);
    }
  });

  test('a stale answer takes the place of a failure', async () => {
    const policies = [cache({ ttlMs: 1, staleIfErrorMs: 1_000 })];
    let asked = 0;
    const ends = await heard(policies, 'cache', (execute, clock) => {
      const run = async () => {
        asked += 1;
        await clock.sleep(5);
        if (asked > 1) throw new Error('down');
      };
      const first = execute({ run });
      return [first, first.then(() => clock.sleep(10)).then(() => execute({ run, leaves: true }))];
    });
    assert.deepEqual([ends, asked], [['well', 'well'], 2]);
  });
});

describe('a call that its caller ends when he hears that a hedge is sent', () => {
  test('sends no more, of hedges within hedges either: one was its own parent’s parent', async () => {
    const { clock, env, left, play } = virtualWorld();
    const caller = new AbortController();
    // At 20 ms the outer hedge, sent at 10, sends one of its own.
    const report = ({ type }: PolicyEvent) => {
      if (type === 'hedge' && clock.now() === 20) caller.abort('gone');
    };
    const policies = [hedge({ name: 'outer', delayMs: 10 }), hedge({ name: 'inner', delayMs: 10 })];
    const p = pipeline('p', policies, { ...env, report });
    let begun = 0;
    const run = () => {
      begun += 1;
      return new Promise(() => {});
    };
    const { error } = await play(() => p.execute(run, { signal: caller.signal }));
    await clock.advance(1_000);
    assert.deepEqual([error, begun, p.inspect().inFlight, left()], ['gone', 3, 0, []]);
  });

  test('and who waits for an answer has it when it has heard that: it was counted down twice', async () => {
    const { clock, env, left } = virtualWorld();
    const other = new AbortController();
    const report = ({ type }: PolicyEvent) => {
      if (type === 'hedge' && clock.now() === 15) other.abort('gone');
    };
    const policies = [hedge({ delayMs: 10 }), cache(), bulkhead({ limit: 1, queueLimit: 5 })];
    const p = pipeline('p', policies, { ...env, report });
    const inside = p
      .execute(({ signal }) => clock.sleep(100, signal), { signal: other.signal })
      .catch(() => {});
    await clock.advance(5);
    // Its question waits for the place that the other leaves, and is answered within that very call.
    const waiting = p.execute(() => 'at once', { cacheKey: 'k' });
    await clock.run(() => Promise.all([inside, waiting]));
    assert.deepEqual([await waiting, p.inspect().inFlight, left()], ['at once', 0, []]);
  });

  for (const leaves of [true, false]) {
    test(`and who waits for a place is let in when it has heard that (${leaves ? 'it leaves as well' : 'it stays'})`, async () => {
      const { clock, env, left } = virtualWorld();
      const [inside, waiting] = [new AbortController(), new AbortController()];
      const report = ({ type }: PolicyEvent) => {
        if (type !== 'hedge' || clock.now() !== 22) return;
        if (leaves) waiting.abort('gone');
        inside.abort('gone');
      };
      const policies = [hedge({ delayMs: 10 }), bulkhead({ limit: 2, queueLimit: 5 })];
      const p = pipeline('p', policies, { ...env, report });
      const begun: string[] = [];
      const call = async (name: string, { signal: gone }: AbortController) => {
        const run = async ({ attempt, signal }: { attempt: number; signal: AbortSignal }) => {
          begun.push(`${name} ${attempt} at ${clock.now()}`);
          await clock.sleep(100, signal);
        };
        await p.execute(run, { signal: gone }).catch(() => {});
      };
      const first = call('inside', inside);
      // It has both places at 10 ms; the other begins to wait at 12, and its hedge is due at 22.
      await clock.advance(12);
      const second = call('waiting', waiting);
      await clock.run(() => Promise.all([first, second]));
      const { inFlight, policies: now } = p.inspect();
      const others = leaves ? [] : ['waiting 1 at 22', 'waiting 2 at 22'];
      assert.deepEqual(
        [begun, inFlight, now[1]?.bulkhead, left()],
        [['inside 1 at 0', 'inside 2 at 10', ...others], 0, { active: 0, queued: 0 }, []],
      );
    });
  }
});

interface Said {
  readonly run?: () => unknown;
  readonly criticality?: 'critical-plus' | 'critical' | 'sheddable';
  /** Whether it is aborted at the event. */
  readonly leaves?: boolean;
}

type Executing = (said: Said) => Promise<string>;

/** How calls end of which those that leave do so at the first event of `type` that is no mere miss; nothing is left behind. */
async function heard(
  policies: readonly Policy[],
  type: PolicyEvent['type'],
  calls: (
    execute: Executing,
    clock: ReturnType<typeof virtualWorld>['clock'],
  ) => readonly Promise<string>[],
): Promise<readonly string[] | undefined> {
  const { clock, env, left, play } = virtualWorld();
  const caller = new AbortController();
  const report = (event: PolicyEvent) => {
    const isMiss = event.type === 'cache' && event.result === 'miss';
    if (event.type === type && !isMiss) caller.abort('gone');
  };
  const p = pipeline('p', policies, { ...env, report });
  const execute: Executing = ({ criticality, leaves, run = () => {} }) =>
    p.execute(run, { cacheKey: 'k', criticality, signal: leaves ? caller.signal : undefined }).then(
      () => 'well',
      (error: { code?: string } | string) =>
        typeof error === 'string' ? error : (error.code ?? String(error)),
    );
  const { value } = await play(() => Promise.all(calls(execute, clock)));
  assert.deepEqual([p.inspect().inFlight, left()], [0, []]);
  return value;
}

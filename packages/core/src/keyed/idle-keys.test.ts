import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { circuitBreaker } from '../breaker/breaker.ts';
import type { Stage } from '../engine/stage.ts';
import type { Policy } from '../policy.ts';
import { createRegistry } from '../registry.ts';
import { VirtualClock } from '../testing/virtual-clock.ts';
import { keyedPipeline } from './keyed-pipeline.ts';

describe('a keyed pipeline with idleMs', () => {
  test('forgets keys that nobody called for so long, without a timer', async () => {
    const { clock, family, use, keys } = setUp();
    await use('a');
    await clock.advance(600);
    await use('b');
    await clock.advance(399);
    const before = keys();
    await clock.advance(1);
    assert.deepEqual(
      [before, keys(), family.inspect().forgotten, clock.pendingTimers],
      [['a', 'b'], ['b'], 1, 0],
    );
  });

  test('begins a key anew that is called after so long, though nobody had looked at it', async () => {
    const { clock, use, fail, family, made } = setUp(undefined, { consecutiveFailures: 2 });
    await fail('a');
    await clock.advance(1_000);
    await fail('a');
    await use('a');
    assert.deepEqual(
      [made, family.inspect().keys.a?.policies[0]?.circuit?.state],
      [['a', 'a'], 'closed'],
    );
  });

  test('keeps a key with a call in flight, a circuit that refuses, or one that is forced', async () => {
    const { clock, family, use, fail, keys, registry } = setUp(undefined, { openMs: 5_000 });
    const busy = family.execute(() => clock.sleep(4_000), { key: 'busy' });
    await fail('open');
    await use('forced');
    registry.force('hosts', 'forced-closed', { key: 'forced', forMs: 3_000 });
    await use('idle');
    const seen: string[][] = [];
    for (const ms of [1_000, 2_000, 2_000, 1_000]) {
      await clock.advance(ms);
      seen.push(keys());
    }
    await busy;
    assert.deepEqual(seen, [
      ['busy', 'open', 'forced'],
      ['busy', 'open'],
      // It was seen in use at 3 s: that counts as a use.
      [],
      [],
    ]);
  });

  test('looks at two keys for a call, however many are spent', async () => {
    let looks = 0;
    const { clock, use } = setUp(() => [countingPolicy(() => (looks += 1))]);
    for (let n = 0; n < 100; n += 1) await use(`host ${n}`);
    await clock.advance(2_000);
    const each: number[] = [];
    for (let n = 0; n < 3; n += 1) {
      looks = 0;
      await use('new');
      each.push(looks);
    }
    assert.deepEqual(each, [2, 2, 2]);
  });

  test('looks behind keys that are in use, so that these hide none that is spent', async () => {
    let looked: string[] = [];
    const { clock, family, use } = setUp((key) => [countingPolicy(() => looked.push(key))]);
    const held = ['busy 1', 'busy 2'].map((key) =>
      family.execute(() => clock.sleep(5_000), { key }),
    );
    for (const key of ['spent 1', 'spent 2']) await use(key);
    await clock.advance(1_000);
    looked = [];
    await use('new');
    await use('new');
    assert.deepEqual(looked, ['busy 1', 'busy 2', 'spent 1', 'spent 2']);
    await clock.run(() => Promise.all(held));
  });

  test('does what a slow model says, whatever is called when', async () => {
    const step = fc.record({
      ms: fc.nat(700),
      key: fc.constantFrom('a', 'b', 'c', 'd'),
      what: fc.constantFrom('call', 'hold', 'release', 'look'),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const { clock, family, made } = setUp();
        const model = new Map<string, { usedMs: number; calledMs: number; held: (() => void)[] }>();
        for (const { ms, key, what } of steps) {
          await clock.advance(ms);
          const nowMs = clock.now();
          const known = model.get(key);
          if (what === 'look') family.inspect();
          else if (what === 'release') {
            if (known === undefined || known.held.length === 0) continue;
            known.held.pop()?.();
            known.usedMs = nowMs;
            await clock.advance(0);
          } else {
            const before = made.length;
            const release = new Promise<void>((resolve) => {
              const { held = [] } = known ?? {};
              if (what === 'hold') held.push(resolve);
              else resolve();
              model.set(key, { usedMs: nowMs, calledMs: nowMs, held });
            });
            void family.execute(() => release, { key });
            await clock.advance(0);
            const anew = made.length > before;
            // When it was last seen in use is known only to lie between its call and its release.
            const held = (known?.held.length ?? 0) > (what === 'hold' ? 1 : 0);
            if (known === undefined) assert.ok(anew);
            else if (held || nowMs - known.calledMs < 1_000) assert.ok(!anew, 'it was in use');
            else if (nowMs - known.usedMs >= 1_000) assert.ok(anew, 'it was spent');
          }
        }
        assert.equal(clock.pendingTimers, 0);
      }),
      { numRuns: 200 },
    );
  });

  test('refuses a time that cannot be one', () => {
    assert.throws(() => keyedPipeline('p', [], { idleMs: 0 }), {
      name: 'RangeError',
      message: 'keyedPipeline.idleMs must be a number of at least 1, not 0.',
    });
  });
});

function setUp(
  policies?: (key: string) => readonly Policy[],
  breaker: { readonly consecutiveFailures?: number; readonly openMs?: number } = {},
) {
  const clock = new VirtualClock();
  const registry = createRegistry();
  const made: string[] = [];
  const circuit = (key: string) => {
    made.push(key);
    return [circuitBreaker({ consecutiveFailures: 1, ...breaker })];
  };
  const family = keyedPipeline('hosts', policies ?? circuit, { clock, registry, idleMs: 1_000 });
  const fail = (key: string) =>
    family.execute(() => Promise.reject(new Error('down')), { key }).catch(() => {});
  return {
    clock,
    family,
    registry,
    made,
    fail,
    use: (key: string) => family.execute(() => undefined, { key }),
    keys: () => Object.keys(family.inspect().keys),
  };
}

/** A policy that lets everything pass, and tells when somebody looks at it. */
function countingPolicy(looked: () => void): Policy {
  const stage: Stage = {
    get policy() {
      return policy;
    },
    enter: () => undefined,
    leave: () => undefined,
    abandon: () => {},
    forecast: () => ({ words: 'counts.' }),
    inspect: () => {
      looked();
      return {};
    },
  };
  const policy: Policy = { kind: 'bulkhead', name: 'counting', options: {}, stage: () => stage };
  return policy;
}

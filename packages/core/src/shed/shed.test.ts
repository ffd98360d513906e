import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { pipeline } from '../pipeline.ts';
import { CRITICALITIES } from '../policy.ts';
import { VirtualClock } from '../testing/virtual-clock.ts';
import { eventLoopDelay, type LoadProbe } from './load-probe.ts';
import type { ShedOptions } from './options.ts';
import { shed } from './shed.ts';

describe('shed', () => {
  test('refuses those that matter least first, and lets them in when the load has halved', async () => {
    let load = 0;
    const { admitted } = setUp({ probe: { load: () => load } });
    const seen: [number, string][] = [];
    for (load of [0, 49, 50, 99, 100, 250, 10_000, 126, 124, 51, 49, 26, 24]) {
      seen.push([load, await admitted()]);
    }
    assert.deepEqual(seen, [
      [0, 'critical-plus critical sheddable-plus sheddable'],
      [49, 'critical-plus critical sheddable-plus sheddable'],
      [50, 'critical-plus critical sheddable-plus'],
      [99, 'critical-plus critical sheddable-plus'],
      [100, 'critical-plus critical'],
      [250, 'critical-plus'],
      [10_000, 'critical-plus'],
      [126, 'critical-plus'],
      [124, 'critical-plus critical'],
      [51, 'critical-plus critical'],
      [49, 'critical-plus critical sheddable-plus'],
      [26, 'critical-plus critical sheddable-plus'],
      [24, 'critical-plus critical sheddable-plus sheddable'],
    ]);
  });

  test('says whom it shed, and why', async () => {
    const { p } = setUp({ probe: { load: () => 70 } });
    const refusal = await p
      .execute(() => 'in', { criticality: 'sheddable' })
      .catch(({ code, message }) => [code, message]);
    assert.deepEqual(refusal, [
      'SHED',
      '"shed" shed a call that is sheddable: the load is 70. Try again later, elsewhere.',
    ]);
    assert.deepEqual(p.inspect().policies[0]?.shed, { load: 70, from: 'sheddable' });
  });

  test('tells its probe when there is work and when there is none', async () => {
    const told: string[] = [];
    const probe: LoadProbe = {
      load: () => 0,
      begins: () => told.push('begins'),
      ends: () => told.push('ends'),
    };
    const { p } = setUp({ probe });
    const caller = new AbortController();
    const gone = p.execute(() => new Promise(() => {}), { signal: caller.signal }).catch(() => {});
    await p.execute(() => 1);
    await p.execute(() => Promise.reject(new Error('no'))).catch(() => {});
    caller.abort();
    await gone;
    assert.deepEqual(told, ['begins', 'begins', 'ends', 'begins', 'ends', 'ends']);
  });

  test('by the BBR rule lets in as many as the best throughput and latency explain', async () => {
    const { p, clock } = setUp({ bbr: true, probe: { load: () => 0 } });
    // 100 calls a second of 50 ms each: five at a time.
    await clock.advance(4_000);
    await clock.run(async () => {
      const begun: Promise<unknown>[] = [];
      for (let n = 0; n < 200; n += 1) {
        begun.push(p.execute(() => clock.sleep(50)).catch(() => {}));
        await clock.sleep(10);
      }
      await Promise.all(begun);
    });
    const burst = await clock.run(() =>
      Promise.allSettled([
        ...Array.from({ length: 20 }, () => p.execute(() => clock.sleep(50))),
        p.execute(() => clock.sleep(50), { criticality: 'critical-plus' }),
      ]),
    );
    const refused = burst.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []));
    // Five inside are not too many, so a sixth is let in; then they are, but for the critical-plus.
    assert.deepEqual([refused.length, burst.at(-1)?.status], [14, 'fulfilled']);
    assert.equal(
      refused[0].message,
      '"shed" shed a call that is critical: 6 calls are inside, of about 5. Try again later, elsewhere.',
    );
  });

  test('refuses all where even critical-plus has a level', async () => {
    let load = 99;
    const from = { 'critical-plus': 100, critical: 100, 'sheddable-plus': 1, sheddable: 0 };
    const { admitted } = setUp({ from, probe: { load: () => load } });
    const seen: string[] = [];
    for (load of [99, 100, 50, 49]) seen.push(await admitted());
    assert.deepEqual(seen, ['critical-plus critical', '', '', 'critical-plus critical']);
  });

  test('refuses options that cannot work, naming the culprit', () => {
    assert.throws(() => shed({ until: 2 }), {
      name: 'RangeError',
      message: 'shed.until must be a number from 0 to 1, not 2.',
    });
    assert.throws(
      () => shed({ from: { sheddable: 300 } }),
      /shed\.from\.sheddable must not be more than shed\.from\.sheddable-plus \(100\), not 300/,
    );
    assert.throws(() => shed({ probe: {} as never }), /shed\.probe must have a method load/);
  });
});

describe('the delay of the event loop', () => {
  test('is how late timers are, falls by half, and is not measured while there is nothing to do', async () => {
    const clock = new LateClock([80, 0]);
    const probe = eventLoopDelay(clock, 20);
    const idle = clock.pendingTimers;
    probe.begins?.();
    await clock.advance(100);
    const blocked = probe.load();
    await clock.advance(20);
    const better = probe.load();
    probe.ends?.();
    assert.deepEqual([idle, blocked, better, probe.load(), clock.pendingTimers], [0, 80, 40, 0, 0]);
  });

  test('is measured by one timer, from the first call to the end of the last', async () => {
    const clock = new LateClock([30, 10, 30]);
    const probe = eventLoopDelay(clock, 20);
    const pending: number[] = [];
    const now = (change?: () => void) => {
      change?.();
      pending.push(clock.pendingTimers);
    };
    now(probe.begins);
    now(probe.begins);
    await clock.advance(50);
    const first = probe.load();
    await clock.advance(30);
    const halved = probe.load();
    now(probe.ends);
    now(probe.ends);
    await clock.advance(1_000);
    assert.deepEqual([first, halved, probe.load(), pending], [30, 20, 0, [1, 1, 1, 0]]);
  });

  test('is known before the timer rings that is overdue', async () => {
    const clock = new LateClock([1_000]);
    const probe = eventLoopDelay(clock, 20);
    probe.begins?.();
    await clock.advance(320);
    assert.equal(probe.load(), 300);
  });
});

/** A clock whose timers are late, as those of a blocked event loop are. */
class LateClock extends VirtualClock {
  readonly #lateMs: number[];

  /** So late are the first timers. */
  constructor(lateMs: number[]) {
    super();
    this.#lateMs = lateMs;
  }

  override timer(ms: number, fire: () => void) {
    return super.timer(ms + (this.#lateMs.shift() ?? 0), fire);
  }
}

function setUp(options: ShedOptions) {
  const clock = new VirtualClock();
  const p = pipeline('p', [shed(options)], { clock });
  const admitted = async () => {
    const outcomes = await Promise.allSettled(
      CRITICALITIES.map((criticality) => p.execute(() => criticality, { criticality })),
    );
    return outcomes.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : [])).join(' ');
  };
  return { clock, p, admitted };
}

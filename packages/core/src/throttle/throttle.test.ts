import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { pipeline } from '../pipeline.ts';
import type { Criticality } from '../policy.ts';
import { seededRandom } from '../testing/seeded-random.ts';
import { VirtualClock } from '../testing/virtual-clock.ts';
import { deadline } from '../timeout/deadline.ts';
import { timeout } from '../timeout/timeout.ts';
import { rejectProbability } from './acceptance.ts';
import type { ThrottleOptions } from './options.ts';
import { throttle } from './throttle.ts';

describe('throttle', () => {
  test('refuses with the probability of the formula', () => {
    const golden = [
      [100, 40, 2],
      [100, 50, 2],
      [1_000, 100, 2],
      [0, 0, 2],
    ].map(([calls = 0, accepts = 0, k = 0]) => rejectProbability(calls, accepts, k).toFixed(5));
    assert.deepEqual(golden, ['0.19802', '0.00000', '0.79920', '0.00000']);
  });

  test('sends every call to a dependency that accepts them', async () => {
    const { play } = setUp({});
    assert.deepEqual(await play(1_000, 'accepts'), { sent: 1_000, throttled: 0 });
  });

  test('sends few calls to one that refuses, and all again when it is well', async () => {
    const { play, clock } = setUp({ windowMs: 10_000 });
    await play(100, 'accepts');
    await clock.advance(11_000);
    const ill = await play(1_000, 'refuses');
    await clock.advance(11_000);
    const well = await play(1_000, 'accepts');
    // With nothing accepted the chance to be sent is one in calls + 1: about ln(1000) in all.
    assert.ok(ill.sent >= 1 && ill.sent <= 25, `${ill.sent} sent`);
    assert.equal(well.throttled, 0);
  });

  test('sends all again one window after the dependency is well: it took three (go-zero #4101)', async () => {
    const { play, clock } = setUp({ windowMs: 10_000 });
    /** What was sent in each second, of 100 calls. */
    const seconds = async (count: number, dependency: Dependency) => {
      const sent: number[] = [];
      for (let n = 0; n < count * 100; n += 1) {
        sent.push((await play(1, dependency)).sent);
        await clock.advance(10);
      }
      return Array.from({ length: count }, (_, second) =>
        sent.slice(second * 100, (second + 1) * 100).reduce((a, b) => a + b),
      );
    };
    await seconds(12, 'accepts');
    const ill = await seconds(20, 'refuses');
    // A probe in each fortieth of the window, and hardly more.
    const lastTen = ill.slice(10).reduce((a, b) => a + b);
    assert.ok(lastTen >= 35 && lastTen <= 70, `${lastTen} of 1,000 sent`);
    const well = await seconds(12, 'accepts');
    assert.ok(well[1]! <= 30, `no herd: ${well.join()}`);
    assert.ok(well[6]! >= 60 && well[10] === 100, `${well.join()} sent`);
  });

  test('takes nothing for well again that is refused in between, or that the caller ended', async () => {
    const random = { next: () => 0.5 };
    const { p, play, clock } = setUp({ windowMs: 1_000 }, random);
    const refuses = () => p.inspect().policies[0]?.throttle?.rejectProbability ?? 0;
    await play(9, 'refuses');
    const caller = new AbortController();
    await clock.advance(25);
    const gone = p.execute(() => new Promise(() => {}), { signal: caller.signal }).catch(() => {});
    caller.abort();
    await gone;
    await clock.advance(500);
    const afterAbort = refuses();
    await clock.advance(25);
    await play(1, 'accepts');
    await clock.advance(250);
    const whileWell = refuses();
    await play(1, 'refuses');
    assert.deepEqual(
      [afterAbort, whileWell, refuses()].map((part) => part.toFixed(2)),
      ['0.73', '0.44', '0.62'],
    );
  });

  test('refuses those that matter less first', async () => {
    const shares: Record<string, number> = {};
    for (const criticality of ['critical-plus', 'critical', 'sheddable'] as const) {
      const { play } = setUp({});
      // Two of three are accepted: below K = 2 nothing is throttled.
      const { throttled } = await play(3_000, 'accepts two of three', criticality);
      shares[criticality] = throttled;
    }
    assert.deepEqual([shares['critical-plus'], shares.critical], [0, 0]);
    assert.ok(shares.sheddable! > 300, `${shares.sheddable} sheddable throttled`);
  });

  test('holds time-outs against the dependency, and nothing that the caller ended', async () => {
    const clock = new VirtualClock();
    const inside = [throttle({ refusedIf: () => true }), timeout({ limitMs: 10 })];
    const p = pipeline('p', inside, { clock, random: seededRandom(1) });
    const caller = new AbortController();
    caller.signal.throwIfAborted();
    const hung = p.execute(() => new Promise(() => {})).catch(() => {});
    const gone = p.execute(() => new Promise(() => {}), { signal: caller.signal }).catch(() => {});
    caller.abort();
    await clock.run(() => Promise.all([hung, gone]));
    assert.deepEqual(p.inspect().policies[0]?.throttle, {
      calls: 2,
      accepts: 1,
      rejectProbability: 0,
    });
  });

  test('asks what a result says, where it is told how', async () => {
    const sendAll = { next: () => 0.99 };
    const judged = setUp({ refusedIfResult: (value) => value === 'busy' }, sendAll);
    const trusting = setUp({}, sendAll);
    for (const { p } of [judged, trusting]) {
      for (const value of ['busy', 'well', 'busy']) await p.execute(() => value);
    }
    assert.deepEqual(
      [judged, trusting].map(({ p }) => p.inspect().policies[0]?.throttle?.accepts),
      [1, 3],
    );
  });

  test('says of how many calls how few were accepted, and forgets them in time', async () => {
    let next = 0.74;
    const { p, play, clock } = setUp({ windowMs: 1_000 }, { next: () => next });
    await play(3, 'refuses');
    // Of 3 calls before it none was accepted: refused with a probability of 3 / 4.
    const told = await p.execute(() => 1).catch(({ code, message }) => [code, message]);
    assert.deepEqual(told, [
      'THROTTLED',
      'Throttle "throttle" did not send the call: of the last 4 only 0 were accepted. Try again later; 75 % are refused now.',
    ]);
    next = 0.8;
    assert.equal(await p.execute(() => 1), 1);
    assert.equal(p.inspect().policies[0]?.throttle?.calls, 5);
    await clock.advance(1_000);
    assert.equal(p.inspect().policies[0]?.throttle?.calls, 0);
  });

  test('sends the call where chance falls on the probability itself', async () => {
    const { play } = setUp({}, { next: () => 0.75 });
    assert.deepEqual(await play(4, 'refuses'), { sent: 4, throttled: 0 });
  });

  test('counts a call that ran into the deadline as not accepted', async () => {
    const clock = new VirtualClock();
    const p = pipeline('p', [deadline({ limitMs: 10 }), throttle()], { clock });
    await clock.run(() => p.execute(() => new Promise(() => {})).catch(() => {}));
    assert.equal(p.inspect().policies[1]?.throttle?.accepts, 0);
  });

  test('refuses options that cannot work, naming the culprit', () => {
    assert.throws(() => throttle({ k: 0.5 }), {
      name: 'RangeError',
      message: 'throttle.k must be a number from 1 to 100, not 0.5.',
    });
    assert.throws(() => throttle({ kFor: { sheddable: 0 } }), /throttle\.kFor\.sheddable/);
    assert.throws(() => throttle({ refusedIf: 1 as never }), /throttle\.refusedIf/);
  });
});

type Dependency = 'accepts' | 'refuses' | 'accepts two of three';

function setUp(options: ThrottleOptions, random = seededRandom(7)) {
  const clock = new VirtualClock();
  const p = pipeline('p', [throttle(options)], { clock, random });
  let asked = 0;
  const play = async (calls: number, dependency: Dependency, criticality?: Criticality) => {
    let sent = 0;
    for (let n = 0; n < calls; n += 1) {
      await p
        .execute(
          () => {
            sent += 1;
            asked += 1;
            const refuses =
              dependency === 'refuses' || (dependency !== 'accepts' && asked % 3 === 0);
            if (refuses) throw new Error('503');
          },
          criticality === undefined ? {} : { criticality },
        )
        .catch(() => {});
    }
    return { sent, throttled: calls - sent };
  };
  return { clock, p, play };
}

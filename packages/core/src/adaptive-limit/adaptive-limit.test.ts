import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ShedError, TimedOutError } from '../errors.ts';
import { pipeline } from '../pipeline.ts';
import type { Criticality, Policy } from '../policy.ts';
import { record } from '../testing/record.ts';
import { seededRandom } from '../testing/seeded-random.ts';
import { VirtualClock } from '../testing/virtual-clock.ts';
import { timeout } from '../timeout/timeout.ts';
import { adaptiveLimit } from './adaptive-limit.ts';
import type { AdaptiveLimitOptions } from './options.ts';

describe('adaptiveLimit', () => {
  test('stays a limit when calls end before the clock has moved', async () => {
    for (const algorithm of ['gradient2', 'vegas', 'aimd'] as const) {
      const { limit, p } = setUp({ algorithm, minLimit: 1, initialLimit: 1, windowMs: 0 });
      for (let n = 0; n < 50; n += 1) await p.execute(async () => 'at once');
      assert.ok(limit() >= 1, `${algorithm} stands at ${limit()}`);
      assert.equal(await p.execute(async () => 'well'), 'well');
    }
  });

  test('aimd falls by a tenth with each call that is dropped, and grows by one', async () => {
    const inside = [timeout({ limitMs: 100 })];
    const { p, clock, limit, events } = setUp({ algorithm: 'aimd', minLimit: 1 }, inside);
    await clock.run(() => p.execute(() => new Promise(() => {})).catch(() => {}));
    const fallen = limit();
    await clock.run(() =>
      Promise.all(Array.from({ length: 10 }, () => p.execute(() => clock.sleep(5)))),
    );
    const told = events.flatMap((event) =>
      event.type === 'limit' ? [[event.from, event.to, event.why]] : [],
    );
    assert.deepEqual(
      [fallen, limit(), told[0]],
      [18, 20, [20, 18, 'calls took 100 ms with 1 at a time, calls were dropped']],
    );
  });

  test('refuses beyond the limit and says where it stands', async () => {
    const { p, clock } = setUp({ initialLimit: 2, minLimit: 2 });
    const held = [p.execute(() => clock.sleep(10)), p.execute(() => clock.sleep(10))];
    const refused = await p.execute(() => 'in').catch(({ code, message }) => [code, message]);
    await clock.run(() => Promise.all(held));
    assert.deepEqual(refused, [
      'LIMIT_EXCEEDED',
      'Adaptive limit "adaptiveLimit" stands at 2: 2 running, 0 waiting. Try again when some have ended.',
    ]);
  });

  test('lets calls wait where it is told to, the most critical first', async () => {
    const { p, clock } = setUp({ initialLimit: 1, minLimit: 1, queueLimit: 10 });
    const ran: string[] = [];
    const call = (criticality: Criticality) =>
      p.execute(
        async () => {
          ran.push(criticality);
          await clock.sleep(10);
        },
        { criticality },
      );
    await clock.run(() =>
      Promise.all((['critical', 'sheddable', 'critical-plus'] as const).map(call)),
    );
    assert.deepEqual(
      [ran, p.inspect().policies[0]?.limit],
      [['critical', 'critical-plus', 'sheddable'], { limit: 1, active: 0, queued: 0 }],
    );
  });

  test('keeps the shares of those that have one, however many others are inside', async () => {
    const { p, clock } = setUp({ initialLimit: 20, shares: { critical: 0.25 } });
    const thirty = (criticality: Criticality) =>
      Promise.allSettled(
        Array.from({ length: 30 }, () => p.execute(() => clock.sleep(10), { criticality })),
      );
    // Twice: when all have ended, their shares are free again.
    for (let n = 0; n < 2; n += 1) {
      const outcomes = await clock.run(() =>
        Promise.all([thirty('sheddable'), thirty('critical')]),
      );
      const admitted = outcomes.map(
        (each) => each.filter(({ status }) => status === 'fulfilled').length,
      );
      assert.deepEqual(admitted, [20, 5]);
    }
    assert.equal(p.inspect().policies[0]?.limit?.active, 0);
  });

  test('learns nothing from what the caller ended, and gives its place back', async () => {
    const { p, limit } = setUp({ algorithm: 'aimd', minLimit: 1 });
    const caller = new AbortController();
    const gone = p.execute(() => new Promise(() => {}), { signal: caller.signal }).catch(() => {});
    caller.abort();
    await gone;
    assert.deepEqual([limit(), p.inspect().policies[0]?.limit?.active], [20, 0]);
  });

  test('lets a caller that waits go away without a trace', async () => {
    const { p, clock } = setUp({ initialLimit: 1, minLimit: 1, queueLimit: 5 });
    const caller = new AbortController();
    const held = p.execute(() => clock.sleep(10));
    const gone = p.execute(() => 1, { signal: caller.signal }).catch(() => {});
    const limit = () => p.inspect().policies[0]?.limit;
    const before = limit();
    caller.abort();
    await gone;
    assert.deepEqual([before?.queued, limit()], [1, { limit: 1, active: 1, queued: 0 }]);
    await clock.run(() => held);
    assert.deepEqual([limit()?.active, clock.pendingTimers], [0, 0]);
  });

  test('counts as dropped what was refused or ran out of time further in, and what dropIf and dropIfResult say', async () => {
    const failures: Readonly<Record<string, () => unknown>> = {
      busy: () => new Error('busy'),
      broken: () => new Error('broken'),
      refused: () => new ShedError('shed', 'no'),
      late: () => new TimedOutError('timeout', 'late'),
    };
    const limits: Record<string, number> = {};
    for (const [name, failure] of Object.entries(failures)) {
      const dropIf = (error: unknown) => (error as Error).message === 'busy';
      const { p, limit } = setUp({ algorithm: 'aimd', minLimit: 1, initialLimit: 10, dropIf });
      await p.execute(() => Promise.reject(failure())).catch(() => {});
      limits[name] = limit();
    }
    const dropIfResult = (status: number) => status === 503;
    for (const status of [200, 503]) {
      const { p, limit } = setUp({
        algorithm: 'aimd',
        minLimit: 1,
        initialLimit: 10,
        dropIfResult,
      });
      await p.execute(() => status);
      limits[status] = limit();
    }
    assert.deepEqual(limits, { busy: 9, broken: 10, refused: 9, late: 9, 200: 10, 503: 9 });
  });

  test('counts as dropped what the time around it ended, and gives its place back when dropIf throws', async () => {
    const clock = new VirtualClock();
    const dropIf = () => {
      throw new Error('dropIf');
    };
    const limited = adaptiveLimit({ algorithm: 'aimd', minLimit: 1, initialLimit: 10, dropIf });
    const p = pipeline('p', [timeout({ limitMs: 10 }), limited], { clock });
    await clock.run(() => p.execute(() => new Promise(() => {})).catch(() => {}));
    const overdue = p.inspect().policies[1]?.limit;
    const thrown = await p.execute(() => Promise.reject(1)).catch(String);
    assert.deepEqual(
      [overdue, thrown, p.inspect().policies[1]?.limit],
      [{ limit: 9, active: 0, queued: 0 }, 'Error: dropIf', { limit: 9, active: 0, queued: 0 }],
    );
  });

  test('measures each call from when it was let in, with those that were inside then', async () => {
    const options = { algorithm: 'aimd', minLimit: 1, initialLimit: 2, queueLimit: 5 } as const;
    const { p, clock, events } = setUp({ ...options, timeoutMs: 50 });
    await clock.advance(7_000);
    await clock.run(() =>
      Promise.all([
        p.execute(() => clock.sleep(40)),
        p.execute(() => clock.sleep(45)),
        p.execute(() => clock.sleep(30)),
      ]),
    );
    const told = events.flatMap((event) => (event.type === 'limit' ? [event.why] : []));
    assert.deepEqual(told, [
      'calls took 40 ms with 1 at a time, none was dropped',
      'calls took 45 ms with 2 at a time, none was dropped',
      'calls took 30 ms with 2 at a time, none was dropped',
    ]);
  });

  test('ends a wait for a place that takes too long', async () => {
    const options = { initialLimit: 1, minLimit: 1, queueLimit: 1, queueTimeoutMs: 20 };
    const { p, clock } = setUp(options);
    const held = p.execute(() => clock.sleep(100));
    const { code, message } = await clock.run(() => p.execute(() => 1).catch((error) => error));
    assert.deepEqual(
      [code, message],
      [
        'QUEUE_TIMED_OUT',
        'A call waited 20 ms for a place in adaptiveLimit "adaptiveLimit" and got none. Try again when some have ended.',
      ],
    );
    await clock.run(() => held);
  });

  test('refuses options that cannot work, naming the culprit', () => {
    const refused = (options: unknown) => {
      try {
        return adaptiveLimit(options as AdaptiveLimitOptions).name;
      } catch (error) {
        return String(error);
      }
    };
    assert.deepEqual(
      [
        { algorithm: 'cubic' },
        { minLimit: 10, maxLimit: 5 },
        { initialLimit: 500 },
        { probeEvery: 5 },
        { shares: { critical: 0.7, sheddable: 0.5 } },
        { dropIf: 1 },
      ].map(refused),
      [
        'RangeError: adaptiveLimit.algorithm must be one of gradient2, vegas, aimd, not "cubic".',
        'RangeError: adaptiveLimit.maxLimit must be a whole number from 10 to 100000, not 5.',
        'RangeError: adaptiveLimit.initialLimit must be a whole number from 20 to 200, not 500.',
        'RangeError: adaptiveLimit.probeEvery must be a whole number of at least 10, not 5.',
        'RangeError: adaptiveLimit.shares must be at most 1 in all, not 1.2.',
        'TypeError: adaptiveLimit.dropIf must be a function, not 1.',
      ],
    );
  });
});

function setUp(options: AdaptiveLimitOptions, inside: readonly Policy[] = []) {
  const clock = new VirtualClock();
  const { events, listener } = record();
  const random = seededRandom(3);
  const p = pipeline('p', [adaptiveLimit(options), ...inside], { clock, random, report: listener });
  const limit = () => p.inspect().policies[0]?.limit?.limit ?? 0;
  return { clock, events, limit, p };
}

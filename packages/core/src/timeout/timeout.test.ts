import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { bulkhead } from '../bulkhead/bulkhead.ts';
import { pipeline } from '../pipeline.ts';
import type { Call, ExecuteOptions, Policy } from '../policy.ts';
import { retry } from '../retry/retry.ts';
import { record } from '../testing/record.ts';
import { VirtualClock } from '../testing/virtual-clock.ts';
import { deadline } from './deadline.ts';
import { timeout } from './timeout.ts';

const never = () => new Promise<never>(() => {});

describe('timeout and deadline', () => {
  test('a time-out ends each attempt, the deadline the whole call', async () => {
    const outcome = await run(
      [
        deadline({ limitMs: 1_000 }),
        retry({ delayMs: 200, jitter: 'none' }),
        timeout({ limitMs: 300 }),
      ],
      never,
    );
    // 300, wait 200, 300, and 200 are left: less than the next wait of 400.
    assert.deepEqual(outcome, { code: 'TIMED_OUT', policy: 'timeout', atMs: 800 });
  });

  test('a deadline ends an attempt in the middle, and a wait in a queue', async () => {
    const outcome = await run([deadline({ limitMs: 100 }), timeout({ limitMs: 300 })], never);
    assert.deepEqual(outcome, { code: 'DEADLINE_EXCEEDED', policy: 'deadline', atMs: 100 });

    const clock = new VirtualClock();
    const busy = pipeline(
      'busy',
      [deadline({ limitMs: 100 }), bulkhead({ limit: 1, queueLimit: 1, queueTimeoutMs: 500 })],
      { clock },
    );
    const ends = await clock.run(() =>
      Promise.all(
        [never, never].map((fn) => busy.execute(fn).catch((error) => [error.message, clock.now()])),
      ),
    );
    const told = ['"deadline" ended the call: its 100 ms are over.', 100];
    assert.deepEqual(ends, [told, told]);
    assert.deepEqual(clock.pendingTimers, 0);
  });

  test('the time the caller gives ends the call, whatever the policies would allow', async () => {
    const outcome = await run([retry(), timeout({ limitMs: 300 })], never, { deadlineMs: 120 });
    assert.deepEqual(outcome, { code: 'DEADLINE_EXCEEDED', policy: 'p', atMs: 120 });
  });

  test('a caller whose time is over is refused before anything is called', async () => {
    for (const deadlineMs of [0, -50]) {
      let calls = 0;
      const outcome = await run([], async () => (calls += 1), { deadlineMs });
      assert.deepEqual([outcome.code, calls], ['DEADLINE_EXCEEDED', 0]);
    }
    const p = pipeline('p', []);
    await assert.rejects(p.execute(never, { deadlineMs: Number.NaN }), /deadlineMs must be .* NaN/);
    await assert.rejects(p.execute(never, { deadlineMs: '5' as never }), /deadlineMs must be .* 5/);
  });

  test('the function is told what is left of the nearest limit', async () => {
    const left: number[] = [];
    const clock = new VirtualClock();
    const p = pipeline(
      'p',
      [deadline({ limitMs: 500 }), retry({ jitter: 'none' }), timeout({ limitMs: 300 })],
      { clock },
    );
    await clock.run(() =>
      p.execute(
        async (call) => {
          left.push(call.remainingMs);
          await clock.sleep(100);
          left.push(call.remainingMs);
          if (call.attempt === 1) throw new Error('down');
        },
        { deadlineMs: 450 },
      ),
    );
    assert.deepEqual(left, [300, 200, 150, 50]);
    const unlimited = pipeline('q', [], { clock });
    assert.equal(await unlimited.execute(({ remainingMs }) => remainingMs), Infinity);
  });

  test('the signal aborts with the time-out’s error, and each attempt has one of its own', async () => {
    const clock = new VirtualClock();
    const calls: Call[] = [];
    const p = pipeline('p', [retry({ maxRetries: 1 }), timeout({ limitMs: 300 })], { clock });
    const result = await clock.run(() =>
      p.execute((call) => {
        calls.push(call);
        return call.signal && call.attempt === 1 ? never() : 'done';
      }),
    );
    assert.equal(result, 'done');
    assert.deepEqual(
      calls.map(({ signal }) => [signal.aborted, signal.reason?.code]),
      [
        [true, 'TIMED_OUT'],
        [false, undefined],
      ],
    );
  });

  test('a function that ends in time leaves no timer behind', async () => {
    const clock = new VirtualClock();
    const p = pipeline('p', [deadline({ limitMs: 500 }), timeout({ limitMs: 300 })], { clock });
    await p.execute(async () => 'quick', { deadlineMs: 50 });
    assert.equal(clock.pendingTimers, 0);
  });

  test('each is reported with its limit and the attempt that it ended', async () => {
    const clock = new VirtualClock();
    const { events, listener } = record();
    const p = pipeline(
      'p',
      [deadline({ limitMs: 500 }), retry({ jitter: 'none' }), timeout({ limitMs: 200 })],
      { clock, report: listener },
    );
    await clock.run(() => p.execute(never).catch(() => {}));
    assert.deepEqual(
      events.flatMap((event) =>
        event.type === 'timeout' ? [[event.policy, event.limitMs, event.attempt]] : [],
      ),
      [
        ['timeout', 200, 1],
        ['deadline', 500, 2],
      ],
    );
    const ends = events.flatMap((event) =>
      event.type === 'attempt' || event.type === 'call' ? [[event.type, event.outcome]] : [],
    );
    assert.deepEqual(ends, [
      ['attempt', 'timeout'],
      ['attempt', 'timeout'],
      ['call', 'timeout'],
    ]);
  });

  test('each attempt may be given a limit of its own, up to the longest', async () => {
    const clock = new VirtualClock();
    const asked: unknown[] = [];
    const startedMs: number[] = [];
    const limits = [100, undefined, 1e9, 0];
    const p = pipeline(
      'p',
      [
        deadline({ limitMs: 5_000 }),
        retry({ jitter: 'none', backoff: 'constant', delayMs: 10 }),
        timeout({
          limitMs: 300,
          limitFor: (call) => {
            asked.push(call);
            return limits[asked.length - 1];
          },
        }),
      ],
      { clock },
    );
    const error = await clock.run(() =>
      p
        .execute(
          () => {
            startedMs.push(clock.now());
            return never();
          },
          { key: 'k', criticality: 'sheddable' },
        )
        .catch((thrown: Error) => thrown.message),
    );
    // The last was given no time at all, and nothing was called.
    assert.deepEqual(
      [startedMs, clock.now(), error],
      [[0, 110, 420], 730, '"timeout" gave up after 0 ms.'],
    );
    assert.deepEqual(
      [asked[0], asked.length],
      [{ attempt: 1, remainingMs: 5_000, criticality: 'sheddable', key: 'k' }, 4],
    );
    assert.equal(clock.pendingTimers, 0);
  });

  test('a limit that is no number, or cannot be said, ends its call with that', async () => {
    const ending = (limitFor: () => number) =>
      pipeline('p', [timeout({ limitMs: 300, limitFor })])
        .execute(never)
        .catch(String);
    const thrown = () => {
      throw new Error('no limit known');
    };
    assert.deepEqual(
      [await ending(() => Number.NaN), await ending(() => '5' as never), await ending(thrown)],
      [
        'RangeError: timeout.limitFor must return a number of milliseconds or undefined, not NaN.',
        'RangeError: timeout.limitFor must return a number of milliseconds or undefined, not 5.',
        'Error: no limit known',
      ],
    );
    assert.throws(() => timeout({ limitMs: 5, limitFor: 3 as never }), /limitFor must be a func/);
  });

  test('limits that cannot work are refused, naming the culprit', () => {
    for (const limitMs of [0, -1, Number.NaN, Infinity, '5s', undefined]) {
      assert.throws(() => timeout({ limitMs: limitMs as number }), {
        name: 'RangeError',
        message: `timeout.limitMs must be a number from 1 to 2147483647, not ${typeof limitMs === 'string' ? '"5s"' : limitMs}.`,
      });
    }
    assert.throws(() => deadline({ limitMs: 2 ** 31 }), /deadline\.limitMs must be/);
  });
});

/** Runs one call in virtual time; says with which error it ended, and when. */
async function run(
  policies: readonly Policy[],
  fn: (call: Call) => Promise<unknown>,
  options: ExecuteOptions = {},
) {
  const clock = new VirtualClock();
  const p = pipeline('p', policies, { clock });
  const { code, policy } = await clock.run(() =>
    p.execute(fn, options).then(
      () => ({ code: 'none', policy: 'none' }),
      (error: { code: string; policy: string }) => error,
    ),
  );
  return { code, policy, atMs: clock.now() };
}

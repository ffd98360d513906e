import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { circuitBreaker } from '../breaker/breaker.ts';
import { bulkhead } from '../bulkhead/bulkhead.ts';
import { QUEUE_ORDERS } from '../bulkhead/gate.ts';
import { hedge } from '../hedge/hedge.ts';
import { pipeline } from '../pipeline.ts';
import { retry } from '../retry/retry.ts';
import { record } from '../testing/record.ts';
import { VirtualClock } from '../testing/virtual-clock.ts';
import { virtualWorld } from '../testing/virtual-world.ts';
import { timeout } from '../timeout/timeout.ts';

describe('a result that comes after its time-out', () => {
  test('is reported and given to discard, and reaches nobody else', async () => {
    const { outcome, discarded, late, counts } = await outlast(({ clock }) =>
      clock.sleep(130).then(() => 'late'),
    );
    assert.equal(outcome, 'TIMED_OUT');
    assert.deepEqual(discarded, ['late']);
    assert.deepEqual(late, [['success', 30]]);
    assert.deepEqual([counts?.totalSuccesses, counts?.totalFailures], [0, 1]);
  });

  test('is not discarded when it is an error, only reported', async () => {
    const { outcome, discarded, late, counts } = await outlast(({ clock }) =>
      clock.sleep(170).then(() => Promise.reject(new Error('late'))),
    );
    assert.equal(outcome, 'TIMED_OUT');
    assert.deepEqual([discarded, late], [[], [['failure', 70]]]);
    assert.equal(counts?.totalFailures, 1);
  });

  test('harms nobody when its discarding throws', async () => {
    const { outcome, late } = await outlast(
      ({ clock }) => clock.sleep(130),
      () => {
        throw new Error('cannot close');
      },
    );
    assert.deepEqual([outcome, late], ['TIMED_OUT', [['success', 30]]]);
  });
});

test('a result that is tried again is given to discard; the last one is returned', async () => {
  const clock = new VirtualClock();
  const discarded: number[] = [];
  let calls = 0;
  const p = pipeline('p', [retry({ maxRetries: 2, retryIfResult: () => true })], { clock });
  const last = await clock.run(() =>
    p.execute(() => (calls += 1), { discard: (result) => discarded.push(result) }),
  );
  assert.deepEqual([last, discarded], [3, [1, 2]]);
});

for (const [ended, ends] of [
  ['by its deadline', { deadlineMs: 50 }],
  ['by its caller', { abortAtMs: 50 }],
  ['with the answer of the first', { answersAtMs: 50 }],
] as const) {
  for (const order of QUEUE_ORDERS) {
    test(`a hedge that waits for the place of an attempt beside it does not begin when the call ends ${ended} (${order})`, async () => {
      const { env, clock, left, play } = virtualWorld();
      const policies = [
        hedge({ delayMs: 10, maxHedges: 3 }),
        bulkhead({ limit: 2, queueLimit: 2, order }),
      ];
      const p = pipeline('p', policies, env);
      const begun: number[] = [];
      const caller = new AbortController();
      const { abortAtMs = Infinity, answersAtMs = Infinity, deadlineMs }: Ends = ends;
      if (abortAtMs < Infinity) clock.timer(abortAtMs, () => caller.abort('gone'));
      const { tookMs } = await play(() =>
        p.execute(
          ({ attempt }) => {
            begun.push(attempt);
            if (attempt > 1 || answersAtMs === Infinity) return new Promise(() => {});
            return clock.sleep(answersAtMs);
          },
          { signal: caller.signal, deadlineMs },
        ),
      );
      await clock.advance(100);
      assert.deepEqual([tookMs, begun, left()], [50, [1, 2], []]);
    });
  }
}

interface Ends {
  readonly abortAtMs?: number;
  readonly answersAtMs?: number;
  readonly deadlineMs?: number;
}

test('a hedge that has the place of the first attempt, which waits for it, does not let it begin by winning', async () => {
  const { env, clock, left, play } = virtualWorld();
  const policies = [
    hedge({ delayMs: 10 }),
    retry({ delayMs: 5, jitter: 'none' }),
    bulkhead({ limit: 1, queueLimit: 1 }),
  ];
  const p = pipeline('p', policies, env);
  const begun: string[] = [];
  const { value, tookMs } = await play(() =>
    p.execute<string>(async ({ attempt }) => {
      begun.push(`${attempt} at ${clock.now()}`);
      await clock.sleep(12);
      if (attempt === 1) throw new Error('down');
      return `no. ${attempt}`;
    }),
  );
  await clock.advance(100);
  assert.deepEqual([value, tookMs, begun, left()], ['no. 2', 24, ['1 at 0', '2 at 12'], []]);
});

test('a result that comes after the caller has gone is discarded as well', async () => {
  const clock = new VirtualClock();
  const caller = new AbortController();
  const discarded: unknown[] = [];
  const p = pipeline('p', [], { clock });
  const call = p.execute(() => clock.sleep(50).then(() => 'late'), {
    signal: caller.signal,
    discard: (result) => discarded.push(result),
  });
  caller.abort('gone');
  await assert.rejects(call, (reason) => reason === 'gone');
  await clock.advance(50);
  await clock.advance(0);
  assert.deepEqual(discarded, ['late']);
});

/** Runs a function longer than its limit of 100 ms, once, and looks at what its result did. */
async function outlast(
  fn: (at: { clock: VirtualClock }) => Promise<unknown>,
  discard?: (result: unknown) => void,
) {
  const clock = new VirtualClock();
  const { events, listener } = record();
  const discarded: unknown[] = [];
  const p = pipeline('p', [circuitBreaker(), timeout({ limitMs: 100 })], {
    clock,
    report: listener,
  });
  const outcome = await clock.run(() =>
    p
      .execute(() => fn({ clock }), {
        discard: (result) => {
          discarded.push(result);
          discard?.(result);
        },
      })
      .catch((error: { code: string }) => error.code),
  );
  await clock.advance(1_000);
  const late = events.flatMap((event) =>
    event.type === 'late-result' ? [[event.outcome, event.lateByMs]] : [],
  );
  return { outcome, discarded, late, counts: p.inspect().policies[0]?.circuit?.counts };
}

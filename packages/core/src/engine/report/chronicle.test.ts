import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { bulkhead } from '../../bulkhead/bulkhead.ts';
import type { PolicyEvent } from '../../events.ts';
import { pipeline } from '../../pipeline.ts';
import type { ExecuteOptions } from '../../policy.ts';
import { createRegistry } from '../../registry.ts';
import { retry } from '../../retry/retry.ts';
import { record } from '../../testing/record.ts';
import { VirtualClock } from '../../testing/virtual-clock.ts';
import { timeout } from '../../timeout/timeout.ts';

const down = new Error('down');

describe('what is told of a call', () => {
  test('has one number per call, times from its own beginning, and how it ended', async () => {
    const w = await setUp();
    await w.call(async () => {
      await w.clock.sleep(30);
      if (w.attempts === 1) throw down;
    });
    await w.call(() => new Promise(() => {}), { deadlineMs: 90 });
    const gone = new AbortController();
    const cancelled = w.call(() => new Promise(() => {}), { signal: gone.signal });
    gone.abort('gone');
    await cancelled;
    assert.deepEqual(w.told(), [
      '1 attempt 1 failure 30 Error: down',
      '1 retry 1',
      '1 attempt 2 success 30',
      '1 call 2 success 160',
      '2 attempt 1 timeout 90 DeadlineExceededError: The caller of "p" gave it 90 ms, and they are over.',
      '2 call 1 timeout 90 DeadlineExceededError: The caller of "p" gave it 90 ms, and they are over.',
      '3 attempt 1 cancelled 0 gone',
      '3 call 1 cancelled 0 gone',
    ]);
  });

  test('is told of calls that end before they begin as well', async () => {
    const w = await setUp();
    await w.call(() => 1, { signal: AbortSignal.abort('gone') });
    await w.call(() => 1, { deadlineMs: 0 });
    await w.call(() => 1, { deadlineMs: '5' as never });
    assert.deepEqual(w.told(), [
      '1 call 0 cancelled 0 gone',
      '2 call 0 timeout 0 DeadlineExceededError: The caller of "p" gave it 0 ms, and they are over.',
      '3 call 0 failure 0 RangeError: deadlineMs must be a number of milliseconds, not 5.',
    ]);
  });

  test('says what came too late, by how much, and whether it was an error', async () => {
    const w = await setUp();
    const fail = [false, true];
    const late = async () => {
      const fails = fail.shift();
      await w.clock.sleep(250);
      if (fails) throw down;
    };
    await w.call(late, { deadlineMs: 100 });
    await w.call(late, { deadlineMs: 150 });
    await w.clock.advance(1_000);
    assert.deepEqual(
      w.events.flatMap((event) =>
        event.type === 'late-result' ? [[event.policy, event.outcome, event.lateByMs]] : [],
      ),
      [
        ['p', 'success', 150],
        ['p', 'failure', 100],
      ],
    );
  });

  test('leaves a call alone whose beginning nobody heard', async () => {
    const registry = createRegistry();
    const clock = new VirtualClock();
    const { events, listener } = record();
    const p = pipeline('p', [retry({ maxRetries: 1 })], { clock, registry });
    let leave = () => {};
    await clock.run(() =>
      p.execute(({ attempt }) => {
        if (attempt === 2) return 1;
        leave = registry.listen(listener);
        throw down;
      }),
    );
    const heard = events.map(({ type, call }) => [type, call]);
    await p.execute(() => 1);
    leave();
    await p.execute(() => 1);
    assert.deepEqual(heard, [['retry', 0]]);
    assert.deepEqual(
      events.slice(1).map(({ type, call }) => [type, call > 0]),
      [
        ['attempt', true],
        ['call', true],
      ],
    );
  });

  test('has no attempt of a call that began before anybody listened, also where that is cut short', async () => {
    const clock = new VirtualClock();
    const registry = createRegistry();
    const { events, listener } = record();
    const p = pipeline('p', [timeout({ limitMs: 50 })], { clock, registry });
    const cut = p.execute(() => new Promise(() => {})).catch(({ code }) => code);
    registry.listen(listener);
    assert.equal(await clock.run(() => cut), 'TIMED_OUT');
    assert.deepEqual(
      events.map(({ type, call }) => [type, call]),
      [['timeout', 0]],
    );
  });

  test('reaches the pipeline’s own listener and the registry’s, though one of them throws', async () => {
    const registry = createRegistry();
    const first = record();
    const second = record();
    registry.listen(() => {
      throw new Error('broken');
    });
    registry.listen(second.listener);
    const report = (event: PolicyEvent) => {
      first.listener(event);
      throw new Error('broken as well');
    };
    await pipeline('p', [], { registry, report }).execute(() => 1);
    assert.deepEqual(
      [first, second].map(({ events }) => events.length),
      [2, 2],
    );
    assert.ok(!('key' in first.events[0]!));
  });

  test('says which policy refused, with which code', async () => {
    const clock = new VirtualClock();
    const { events, listener } = record();
    const policies = [bulkhead({ limit: 1 })];
    const p = pipeline('p', policies, { clock, report: listener });
    const held = p.execute(() => clock.sleep(10));
    await p.execute(() => 1).catch(() => {});
    await clock.run(() => held);
    const [refusal, call] = events;
    assert.deepEqual(
      [
        refusal?.type === 'refused' && [refusal.policy, refusal.code],
        call?.type === 'call' && call.outcome,
      ],
      [['bulkhead', 'BULKHEAD_FULL'], 'refused'],
    );
  });
});

/** A pipeline in virtual time that begins long after 0. */
async function setUp() {
  const clock = new VirtualClock();
  await clock.advance(50_000);
  const { events, listener } = record();
  const policies = [
    retry({ maxRetries: 1, delayMs: 100, jitter: 'none' }),
    timeout({ limitMs: 500 }),
  ];
  const p = pipeline('p', policies, { clock, report: listener });
  const w = {
    clock,
    events,
    attempts: 0,
    call: (fn: () => unknown, options: ExecuteOptions = {}) =>
      clock.run(() =>
        p
          .execute(() => {
            w.attempts += 1;
            return fn();
          }, options)
          .catch(() => {}),
      ),
    told() {
      const calls = [...new Set(events.map(({ call }) => call))];
      return events.flatMap((event) => {
        const call = calls.indexOf(event.call) + 1;
        if (event.type === 'retry') return [`${call} retry ${event.attempt}`];
        if (event.type !== 'attempt' && event.type !== 'call') return [];
        const count = event.type === 'attempt' ? event.attempt : event.attempts;
        const error = 'error' in event ? ` ${event.error}` : '';
        return [`${call} ${event.type} ${count} ${event.outcome} ${event.durationMs}${error}`];
      });
    },
  };
  return w;
}

import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { describe, test } from 'node:test';
import { bulkhead } from '../../bulkhead/bulkhead.ts';
import { fallback } from '../../fallback/fallback.ts';
import { hedge } from '../../hedge/hedge.ts';
import { pipeline } from '../../pipeline.ts';
import type { Call, Policy } from '../../policy.ts';
import { rateLimit } from '../../rate-limit/rate-limit.ts';
import { retry } from '../../retry/retry.ts';
import { record } from '../../testing/record.ts';
import { VirtualClock } from '../../testing/virtual-clock.ts';
import { deadline } from '../../timeout/deadline.ts';
import { timeout } from '../../timeout/timeout.ts';

const never = () => new Promise<never>(() => {});

describe('an abort by the caller', () => {
  test('that came first leaves the function uncalled', async () => {
    const outcome = await abortAt(0, [retry()], never, { beforehand: true });
    assert.deepEqual(outcome, { ended: 'gone', atMs: 0, calls: 0, left: NOTHING });
  });

  test('that came first, or a deadline that is over, takes nothing of what is limited', async () => {
    const clock = new VirtualClock();
    const p = pipeline('p', [rateLimit({ limit: 1 })], { clock });
    const outcomes: unknown[] = [];
    for (const options of [{ signal: AbortSignal.abort('gone') }, { deadlineMs: 0 }, {}]) {
      const call = p.execute(() => 'in', options);
      outcomes.push(await call.catch((error) => error.code ?? error));
    }
    assert.deepEqual(outcomes, ['gone', 'DEADLINE_EXCEEDED', 'in']);
  });

  test('ends an attempt at once, also of a function that ignores its signal', async () => {
    const outcome = await abortAt(
      30,
      [deadline({ limitMs: 900 }), timeout({ limitMs: 100 })],
      never,
    );
    assert.deepEqual(outcome, { ended: 'gone', atMs: 30, calls: 1, left: NOTHING });
  });

  test('reaches the function by its own signal, with the reason', async () => {
    let reason: unknown;
    const fn = ({ signal }: Call) =>
      new Promise<never>(() => {
        signal.addEventListener('abort', () => {
          reason = signal.reason;
        });
      });
    await abortAt(30, [retry()], fn);
    assert.equal(reason, 'gone');
  });

  test('reaches a function that reads its signal only afterwards', async () => {
    const calls: Call[] = [];
    await abortAt(30, [], (call: Call) => {
      calls.push(call);
      return never();
    });
    assert.deepEqual(
      calls.map(({ signal, remainingMs }) => [signal.aborted, signal.reason, remainingMs]),
      [[true, 'gone', 0]],
    );
  });

  test('is told with its reason to who asked for it without a signal, and to who asks afterwards', async () => {
    const heard: unknown[] = [];
    const calls: Call[] = [];
    await abortAt(30, [timeout({ limitMs: 100 })], (call: Call) => {
      calls.push(call);
      call.onAbort((reason) => heard.push(['first', reason]));
      call.onAbort((reason) => heard.push(['second', reason]));
      return never();
    });
    calls[0]!.onAbort((reason) => heard.push(['late', reason]));
    assert.deepEqual(heard, [
      ['first', 'gone'],
      ['second', 'gone'],
      ['late', 'gone'],
    ]);
  });

  test('is told once, beside a signal as well', async () => {
    const heard: unknown[] = [];
    await abortAt(30, [], (call: Call) => {
      const { signal } = call;
      call.onAbort((reason) => heard.push([reason, signal.aborted]));
      return never();
    });
    assert.deepEqual(heard, [['gone', true]]);
  });

  test('is not told of an attempt that has ended', async () => {
    let heard = 0;
    await pipeline('p', [timeout({ limitMs: 100 })], { registry: undefined }).execute((call) => {
      call.onAbort(() => (heard += 1));
      return Promise.resolve();
    });
    assert.equal(heard, 0);
  });

  test('ends the wait before a retry, and the function is not called again', async () => {
    const policies = [deadline({ limitMs: 90_000 }), retry({ delayMs: 1_000, jitter: 'none' })];
    const outcome = await abortAt(250, policies, () => Promise.reject(new Error('down')));
    assert.deepEqual(outcome, { ended: 'gone', atMs: 250, calls: 1, left: NOTHING });
  });

  test('ends the wait in a queue', async () => {
    const clock = new VirtualClock();
    const busy = pipeline('busy', [bulkhead({ limit: 1, queueLimit: 5 })], { clock });
    const caller = new AbortController();
    let calls = 0;
    const first = busy.execute(() => clock.sleep(500));
    const queued = busy.execute(() => (calls += 1), { signal: caller.signal });
    const ended = queued.catch((reason: unknown) => [reason, clock.now()]);
    await clock.advance(20);
    caller.abort('gone');

    assert.deepEqual(await ended, ['gone', 20]);
    assert.deepEqual(busy.inspect().policies[0]?.bulkhead, { active: 1, queued: 0 });
    await clock.run(() => first);
    assert.deepEqual([calls, clock.pendingTimers], [0, 0]);
  });

  test('ends a fallback that is answering', async () => {
    const policies = [fallback({ steps: [never] })];
    const outcome = await abortAt(30, policies, () => Promise.reject(new Error('down')));
    assert.deepEqual(outcome, { ended: 'gone', atMs: 30, calls: 1, left: NOTHING });
  });

  test('made by the function itself counts as soon as it has returned', async () => {
    const caller = new AbortController();
    const p = pipeline('self', [retry()], { clock: new VirtualClock() });
    const running = p.execute(
      () => {
        caller.abort('mine');
        return never();
      },
      { signal: caller.signal },
    );
    await assert.rejects(running, (reason) => reason === 'mine');
    assert.equal(p.inspect().inFlight, 0);
  });

  test('made by the function itself is seen by it at once, and told once', async () => {
    for (const policies of [[], [timeout({ limitMs: 60_000 })], [hedge({ delayMs: 60_000 })]]) {
      const [caller, other] = [new AbortController(), new AbortController()];
      const seen: unknown[] = [];
      const p = pipeline('self', policies, { clock: new VirtualClock(), registry: undefined });
      const running = p.execute(
        async ({ signal }) => {
          signal.addEventListener('abort', () => seen.push('signal'));
          caller.abort('mine');
          seen.push(signal.aborted, signal.reason);
        },
        { signal: caller.signal },
      );
      await assert.rejects(running, (reason) => reason === 'mine');
      const cut = p.execute(
        (call) => {
          call.onAbort((reason) => seen.push(reason));
          other.abort('other');
          call.signal.throwIfAborted();
        },
        { signal: other.signal },
      );
      await assert.rejects(cut, (reason) => reason === 'other');
      assert.deepEqual(seen, ['signal', true, 'mine', 'other']);
      assert.equal(p.inspect().inFlight, 0);
    }
  });

  test('made by a listener while the call turns is heeded before anything else is begun', async () => {
    for (const type of ['retry', 'timeout', 'queued'] as const) {
      const clock = new VirtualClock();
      const caller = new AbortController();
      let calls = 0;
      const p = pipeline(
        'listened',
        [
          retry({ jitter: 'none' }),
          bulkhead({ limit: 1, queueLimit: 1 }),
          timeout({ limitMs: 50 }),
        ],
        { clock, report: (event) => event.type === type && caller.abort(type) },
      );
      const outcomes = await clock.run(() =>
        Promise.allSettled([
          p.execute(never, {
            signal: type === 'queued' ? new AbortController().signal : caller.signal,
          }),
          p.execute(() => (calls += 1), { signal: caller.signal }),
        ]),
      );
      assert.ok(
        outcomes.some((outcome) => outcome.status === 'rejected' && outcome.reason === type),
        type,
      );
      assert.deepEqual(
        [calls, clock.pendingTimers, p.inspect().inFlight, p.inspect().policies[1]?.bulkhead],
        [0, 0, 0, { active: 0, queued: 0 }],
        type,
      );
    }
  });

  test('is reported as cancelled, and the attempt with it', async () => {
    const clock = new VirtualClock();
    const { events, listener } = record();
    const caller = new AbortController();
    const p = pipeline('p', [], { clock, report: listener });
    const ended = p.execute(never, { signal: caller.signal }).catch(() => {});
    await clock.advance(7);
    caller.abort('gone');
    await ended;
    assert.deepEqual(
      events.map((event) => ('outcome' in event ? [event.type, event.outcome] : event.type)),
      [
        ['attempt', 'cancelled'],
        ['call', 'cancelled'],
      ],
    );
  });
});

const NOTHING = { listeners: 0, timers: 0, inFlight: 0 };

/** Aborts a call with `'gone'` at `ms` and says how it ended and what it left behind. */
async function abortAt(
  ms: number,
  policies: readonly Policy[],
  fn: (call: Call) => Promise<unknown>,
  { beforehand = false } = {},
) {
  const clock = new VirtualClock();
  const caller = new AbortController();
  const p = pipeline('aborted', policies, { clock });
  let calls = 0;
  if (beforehand) caller.abort('gone');
  const running = p.execute(
    (call) => {
      calls += 1;
      return fn(call);
    },
    { signal: caller.signal },
  );
  let atMs = -1;
  const ended = running.catch((reason: unknown) => {
    atMs = clock.now();
    return reason;
  });
  await clock.advance(ms);
  caller.abort('gone');
  const reason = await ended;
  const left = {
    listeners: getEventListeners(caller.signal, 'abort').length,
    timers: clock.pendingTimers,
    inFlight: p.inspect().inFlight,
  };
  await clock.advance(100_000);
  return { ended: reason, atMs, calls, left };
}

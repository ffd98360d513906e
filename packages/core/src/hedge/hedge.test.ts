import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { describe, test } from 'node:test';
import { adaptiveLimit } from '../adaptive-limit/adaptive-limit.ts';
import { circuitBreaker } from '../breaker/breaker.ts';
import { retryBudget } from '../budget/retry-budget.ts';
import { bulkhead } from '../bulkhead/bulkhead.ts';
import { fallback } from '../fallback/fallback.ts';
import { pipeline } from '../pipeline.ts';
import type { Call, ExecuteOptions, Policy } from '../policy.ts';
import { retry } from '../retry/retry.ts';
import { record } from '../testing/record.ts';
import { VirtualClock } from '../testing/virtual-clock.ts';
import { deadline } from '../timeout/deadline.ts';
import { timeout } from '../timeout/timeout.ts';
import { hedge } from './hedge.ts';
import type { HedgeOptions } from './options.ts';

describe('hedge', () => {
  test('sends nothing more when the first attempt answers in time', async () => {
    const { attempts, outcome } = await race({ delayMs: 50 }, [40]);
    assert.deepEqual([attempts, outcome], [[[0, 'answered 40']], 1]);
  });

  test('takes the answer that comes first, aborts the other and discards its result', async () => {
    const { attempts, outcome, endedAt, discarded } = await race({ delayMs: 50 }, [200, 20]);
    assert.deepEqual(
      [attempts, outcome, endedAt, discarded],
      [
        [
          [0, 'aborted 70'],
          [50, 'answered 70'],
        ],
        2,
        70,
        [1],
      ],
    );
  });

  test('lets the first attempt win against a slower hedge', async () => {
    const { attempts, outcome, discarded } = await race({ delayMs: 50 }, [80, 100]);
    assert.deepEqual(
      [attempts, outcome, discarded],
      [
        [
          [0, 'answered 80'],
          [50, 'aborted 80'],
        ],
        1,
        [2],
      ],
    );
  });

  test('sends as many as it may, each its delay after the one before', async () => {
    const { attempts } = await race({ delayMs: 10, maxHedges: 3 }, [500, 500, 500, 5]);
    assert.deepEqual(
      attempts.map(([atMs]) => atMs),
      [0, 10, 20, 30],
    );
  });

  test('waits for a hedge under way when the first attempt fails, and fails with the first failure when all do', async () => {
    const saved = await race({ delayMs: 50 }, ['fails 60', 100]);
    const lost = await race({ delayMs: 50 }, ['fails 60', 'fails 20']);
    assert.deepEqual(
      [saved.outcome, saved.endedAt, lost.outcome, lost.endedAt],
      [2, 150, 'no. 1 failed', 70],
    );
  });

  test('passes a failure on at once when nothing else is under way', async () => {
    const { attempts, outcome, endedAt } = await race({ delayMs: 50 }, ['fails 10']);
    assert.deepEqual([attempts.length, outcome, endedAt], [1, 'no. 1 failed', 10]);
  });

  test('does not let a result win that is no answer to be content with', async () => {
    const failureIfResult = (value: unknown) => value === 1;
    const { outcome, endedAt, discarded } = await race({ delayMs: 50, failureIfResult }, [60, 100]);
    assert.deepEqual([outcome, endedAt, discarded], [2, 150, [1]]);
    const all = await race({ delayMs: 50, failureIfResult: () => true }, [60, 100]);
    assert.deepEqual([all.outcome, all.endedAt, all.discarded], [1, 150, [2]]);
  });

  test('never hedges what must not happen twice', async () => {
    const { attempts } = await race({ delayMs: 10 }, [500], { idempotent: false });
    assert.equal(attempts.length, 1);
  });

  test('ends all attempts when the caller aborts, also from within a hedge', async () => {
    const outside = await race({ delayMs: 50 }, [500, 500], { abortAt: 120 });
    const inside = [bulkhead({ limit: 2 })];
    const within = await race({ delayMs: 50 }, [500, 'aborts the caller'], { inside });
    assert.deepEqual(
      [outside.attempts, outside.outcome, outside.endedAt],
      [
        [
          [0, 'aborted 120'],
          [50, 'aborted 120'],
        ],
        'the caller has gone',
        120,
      ],
    );
    assert.deepEqual(
      [within.outcome, within.endedAt, within.attempts[1], within.snapshot[1]?.bulkhead?.active],
      ['the caller has gone', 50, [50, 'aborted 50'], 0],
    );
  });

  test('tells each attempt why it ends: it lost, the caller has gone, or the time is over', async () => {
    const reasons = async (behaviours: readonly Behaviour[], world: World = {}) => {
      const { reasons } = await race({ delayMs: 50 }, behaviours, world);
      return reasons.map((reason) => (reason as Error).name);
    };
    assert.deepEqual(
      [
        await reasons([200, 20]),
        await reasons([500, 500], { abortAt: 120 }),
        await reasons([500, 500], { outside: [timeout({ limitMs: 100 })] }),
      ],
      [['HedgeLostError'], ['Error', 'Error'], ['TimedOutError', 'TimedOutError']],
    );
  });

  test('a time-out around it counts against the circuit inside once for each attempt, a lost race does not', async () => {
    const inside = [circuitBreaker({ consecutiveFailures: 9 })];
    const failures = async (behaviours: readonly Behaviour[], world: World) =>
      (await race({ delayMs: 50 }, behaviours, world)).snapshot.flatMap(({ circuit }) =>
        circuit === undefined ? [] : [circuit.counts.totalFailures],
      );
    assert.deepEqual(
      [
        await failures([500, 500], { inside, outside: [timeout({ limitMs: 100 })] }),
        await failures([500, 500], { inside, abortAt: 100 }),
        await failures([500, 20], { inside }),
      ],
      [[2], [0], [0]],
    );
  });

  test('lets a failure win where it is told to', async () => {
    const first = await race({ delayMs: 50, failureWins: true }, ['fails 60', 100]);
    const second = await race({ delayMs: 50, failureWins: true }, [200, 'fails 20']);
    assert.deepEqual(
      [first.outcome, first.endedAt, first.discarded, second.outcome, second.endedAt],
      ['no. 1 failed', 60, [2], 'no. 2 failed', 70],
    );
  });

  test('numbers attempts over the whole call and tells of each', async () => {
    const { events } = await race({ delayMs: 50 }, [200, 20]);
    assert.deepEqual(
      events.flatMap((event) => {
        if (event.type === 'hedge') return [['hedge', event.attempt, event.afterMs]];
        if (event.type === 'attempt') return [['attempt', event.attempt, event.outcome]];
        if (event.type === 'call') return [['call', event.attempts, event.outcome]];
        return [];
      }),
      [
        ['hedge', 2, 50],
        ['attempt', 2, 'success'],
        ['attempt', 1, 'cancelled'],
        ['call', 2, 'success'],
      ],
    );
  });

  test('counts each attempt at a circuit inside and gives every permit back', async () => {
    const inside = [circuitBreaker({ consecutiveFailures: 2 }), bulkhead({ limit: 2 })];
    const { snapshot } = await race({ delayMs: 50 }, ['fails 60', 'fails 20'], { inside });
    assert.deepEqual(
      [snapshot[1]?.circuit?.state, snapshot[2]?.bulkhead],
      ['open', { active: 0, queued: 0 }],
    );
    const lost = await race({ delayMs: 50 }, [200, 20], { inside });
    assert.deepEqual(
      [lost.snapshot[1]?.circuit?.state, lost.snapshot[2]?.bulkhead],
      ['closed', { active: 0, queued: 0 }],
    );
  });

  test('time-outs inside limit each attempt, those outside the race', async () => {
    const inside = await race({ delayMs: 50 }, ['hangs', 'hangs'], {
      inside: [timeout({ limitMs: 100 })],
    });
    const outside = await race({ delayMs: 50 }, ['hangs', 'hangs'], {
      outside: [deadline({ limitMs: 100 })],
    });
    assert.deepEqual(
      [inside.code, inside.endedAt, outside.code, outside.endedAt],
      ['TIMED_OUT', 150, 'DEADLINE_EXCEEDED', 100],
    );
    assert.deepEqual(inside.remaining, [100, 100]);
    assert.deepEqual(outside.remaining, [100, 50]);
  });

  test('a retry around it begins the race anew, a retry inside it belongs to its attempt', async () => {
    const again = retry({ jitter: 'none', delayMs: 10, maxRetries: 1 });
    const outside = await race({ delayMs: 50 }, ['fails 60', 'fails 20', 5], { outside: [again] });
    assert.deepEqual([outside.attempts.map(([atMs]) => atMs), outside.outcome], [[0, 50, 80], 3]);
    const inside = await race({ delayMs: 50 }, [300, 'fails 20', 5], { inside: [again] });
    assert.deepEqual([inside.attempts.map(([atMs]) => atMs), inside.outcome], [[0, 50, 80], 3]);
  });

  test('an answer of a fallback inside a hedge counts as degraded', async () => {
    const inside = [fallback({ steps: [() => 99] })];
    const { events, outcome } = await race({ delayMs: 50 }, [300, 'fails 5'], { inside });
    const call = events.find((event) => event.type === 'call');
    assert.deepEqual([outcome, call?.degraded], [99, true]);
  });

  test('an answer of a fallback that does not win leaves the call as it is', async () => {
    const inside = [fallback({ steps: [() => 99] })];
    const failureIfResult = (value: unknown) => value === 99;
    const { events, outcome } = await race({ delayMs: 50, failureIfResult }, [100, 'fails 5'], {
      inside,
    });
    const call = events.find((event) => event.type === 'call');
    assert.deepEqual([outcome, call?.degraded], [1, false]);
  });

  test('a lost race says nothing against a limit inside it, a time-out does', async () => {
    const inside = [adaptiveLimit({ algorithm: 'aimd', initialLimit: 10, minLimit: 1 })];
    const limit = async (behaviours: readonly Behaviour[], world: World = {}) =>
      (
        await race({ delayMs: 10, maxHedges: 2 }, behaviours, { inside, ...world })
      ).snapshot.flatMap((each) => each.limit?.limit ?? []);
    assert.deepEqual(
      [
        await limit([50, 500, 500]),
        await limit([500, 500, 5]),
        await limit([500, 500, 500], { abortAt: 50 }),
        await limit([500, 'aborts the caller']),
        await limit([500, 500, 500], { outside: [timeout({ limitMs: 50 })] }),
      ],
      [[10], [10], [10], [10], [7]],
    );
  });

  test('a hedge that decides tells all others that they lost', async () => {
    const { reasons } = await race({ delayMs: 10, maxHedges: 2 }, [500, 500, 5]);
    assert.deepEqual(
      reasons.map((reason) => (reason as Error).name),
      ['HedgeLostError', 'HedgeLostError'],
    );
  });

  test('lets no hedge begin in the place of another that ends with it', async () => {
    const inside = [bulkhead({ limit: 2, queueLimit: 5 })];
    const { attempts } = await race({ delayMs: 10, maxHedges: 3 }, [50, 500, 500, 500], { inside });
    // Neither that of the first, which has decided the race, nor that of the second.
    assert.equal(attempts.length, 2);
  });

  test('discards what the first attempt came to when the caller goes before a hedge has answered', async () => {
    const failureIfResult = (value: unknown) => value === 1;
    const { discarded, outcome } = await race({ delayMs: 50, failureIfResult }, [60, 500], {
      abortAt: 100,
    });
    assert.deepEqual([outcome, discarded], ['the caller has gone', [1, 2]]);
  });

  test('sends no hedge that its budget does not allow, and tells', async () => {
    const [some, none] = [0.1, 0].map((minPerSecond) => retryBudget({ ratio: 0, minPerSecond }));
    const first = await race({ delayMs: 50, budget: some }, [200, 20]);
    const second = await race({ delayMs: 50, budget: none }, [200, 20]);
    assert.deepEqual([first.attempts.length, second.attempts.length], [2, 1]);
    assert.deepEqual(
      second.events.flatMap((event) =>
        event.type === 'budget-exhausted' ? [[event.budget, event.used]] : [],
      ),
      [['budget', Infinity]],
    );
  });
});

/** Milliseconds until it answers with its number, or what else it does. */
type Behaviour = number | `fails ${number}` | 'hangs' | 'aborts the caller';

interface World extends Pick<ExecuteOptions, 'idempotent'> {
  readonly inside?: readonly Policy[];
  readonly outside?: readonly Policy[];
  readonly abortAt?: number;
}

/** One call whose attempts behave as listed, and everything that came of it. */
async function race(options: HedgeOptions, behaviours: readonly Behaviour[], world: World = {}) {
  const { inside = [], outside = [], abortAt, ...said } = world;
  const clock = new VirtualClock();
  const caller = new AbortController();
  const { events, listener } = record();
  const p = pipeline('p', [...outside, hedge(options), ...inside], { clock, report: listener });
  const attempts: [atMs: number, what: string][] = [];
  const discarded: unknown[] = [];
  const remaining: number[] = [];
  const reasons: unknown[] = [];

  const attempt = async ({ attempt: number, signal, remainingMs }: Call) => {
    const mine: [number, string] = [clock.now(), 'pending'];
    attempts.push(mine);
    remaining.push(remainingMs);
    const say = (what: string) => {
      if (mine[1] === 'pending') mine[1] = `${what} ${clock.now()}`;
    };
    signal.addEventListener('abort', () => {
      say('aborted');
      reasons.push(signal.reason);
    });
    const behaviour = behaviours[attempts.length - 1];
    if (behaviour === 'aborts the caller') caller.abort(new Error('the caller has gone'));
    if (typeof behaviour === 'number') {
      await clock.sleep(behaviour);
      say('answered');
      return number;
    }
    if (behaviour === undefined || !behaviour.startsWith('fails')) return new Promise(() => {});
    await clock.sleep(Number(behaviour.slice('fails '.length)));
    say('failed');
    throw new Error(`no. ${number} failed`);
  };
  if (abortAt !== undefined) {
    void clock.sleep(abortAt).then(() => caller.abort(new Error('the caller has gone')));
  }
  let code: unknown;
  const outcome = await clock.run(() =>
    p
      .execute<unknown>(attempt, {
        signal: caller.signal,
        discard: (value) => void discarded.push(value),
        ...said,
      })
      .catch((thrown: Error) => {
        code = Object(thrown).code;
        return thrown.message;
      }),
  );
  const endedAt = clock.now();
  const { policies: snapshot } = p.inspect();
  await clock.advance(10_000);
  assert.deepEqual(
    [clock.pendingTimers, p.inspect().inFlight, getEventListeners(caller.signal, 'abort').length],
    [0, 0, 0],
    'nothing is left',
  );
  return { attempts, outcome, endedAt, discarded, events, remaining, reasons, snapshot, code };
}

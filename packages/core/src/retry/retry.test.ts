import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { circuitBreaker } from '../breaker/breaker.ts';
import { retryBudget } from '../budget/retry-budget.ts';
import { bulkhead } from '../bulkhead/bulkhead.ts';
import { pipeline } from '../pipeline.ts';
import type { Policy } from '../policy.ts';
import { record } from '../testing/record.ts';
import { VirtualClock } from '../testing/virtual-clock.ts';
import { deadline } from '../timeout/deadline.ts';
import { timeout } from '../timeout/timeout.ts';
import type { RetryOptions } from './options.ts';
import { retry } from './retry.ts';

const down = new Error('down');

describe('retry', () => {
  test('waits twice as long before each retry, up to the ceiling', async () => {
    const { attemptsAt } = await runFailing({ maxRetries: 4, delayMs: 100, maxDelayMs: 300 });
    assert.deepEqual(attemptsAt, [0, 100, 300, 600, 900]);
  });

  test('waits as long as it is told where that is more than the ceiling would be by itself', async () => {
    const { attemptsAt } = await runFailing({ maxRetries: 2, delayMs: 60_000 });
    assert.deepEqual(attemptsAt, [0, 60_000, 120_000]);
  });

  test('rethrows the last error untouched', async () => {
    const { error } = await runFailing({ maxRetries: 2 }, { error: (n) => new Error(`no. ${n}`) });
    assert.equal((error as Error).message, 'no. 3');
  });

  test('never repeats a programming error', async () => {
    for (const Kind of [TypeError, RangeError, ReferenceError, SyntaxError]) {
      const retryIf = () => true;
      const { attemptsAt, stopped } = await runFailing({ retryIf }, { error: () => new Kind('x') });
      assert.deepEqual([attemptsAt, stopped], [[0], ['not-retriable', 1]], Kind.name);
    }
  });

  test('knows that fetch throws a TypeError for a network that failed', async () => {
    const failures = [
      new TypeError('fetch failed', { cause: new Error('ECONNRESET') }),
      new TypeError('Failed to fetch'),
      new TypeError('Load failed'),
      new TypeError('NetworkError when attempting to fetch resource.'),
      new TypeError('terminated', { cause: new Error('other side closed') }),
      // Bun's.
      Object.assign(new TypeError('Unable to connect.'), { code: 'ECONNREFUSED' }),
      Object.assign(new TypeError('The socket was closed.'), { code: 'ConnectionClosed' }),
    ];
    for (const failure of failures) {
      const { attemptsAt } = await runFailing({ maxRetries: 1 }, { error: () => failure });
      assert.equal(attemptsAt.length, 2, failure.message);
    }
  });

  test('leaves an aborted operation of the function alone, unless it is told otherwise', async () => {
    const error = () => new DOMException('stop', 'AbortError');
    assert.equal((await runFailing({}, { error })).attemptsAt.length, 1);
    assert.equal((await runFailing({ retryIf: () => true }, { error })).attemptsAt.length, 4);
  });

  test('takes no other TypeError for a network that failed', async () => {
    for (const message of ['my fetch failed', 'x is not a function']) {
      const { attemptsAt } = await runFailing({}, { error: () => new TypeError(message) });
      assert.equal(attemptsAt.length, 1, message);
    }
    // Node's own, for an argument that is wrong.
    const error = () => Object.assign(new TypeError('not a URL'), { code: 'ERR_INVALID_URL' });
    assert.equal((await runFailing({}, { error })).attemptsAt.length, 1);
  });

  test('asks retryIf about the rest', async () => {
    const retryIf = (error: unknown) => (error as Error).message !== 'fatal';
    const error = (n: number) => new Error(n < 3 ? 'transient' : 'fatal');
    const { attemptsAt, stopped } = await runFailing({ retryIf }, { error });
    assert.deepEqual([attemptsAt.length, stopped], [3, ['not-retriable', 3]]);
  });

  test('ends when a circuit inside refuses, whatever retryIf says', async () => {
    const inside = [circuitBreaker({ consecutiveFailures: 2 })];
    const { attemptsAt, error, stopped } = await runFailing({ retryIf: () => true }, { inside });
    assert.deepEqual(
      [attemptsAt.length, (error as { code: string }).code, (error as Error).cause, stopped],
      [2, 'CIRCUIT_OPEN', down, ['refused', 3]],
    );
  });

  test('ends as well when the circuit inside is busy with its probe', async () => {
    const inside = [circuitBreaker({ consecutiveFailures: 1, openMs: 100 })];
    const clock = new VirtualClock();
    const p = pipeline('p', [retry({ maxRetries: 3, jitter: 'none' }), ...inside], { clock });
    await clock.run(() => p.execute(() => Promise.reject(down)).catch(() => {}));
    await clock.advance(100);
    const probe = p.execute(() => clock.sleep(5_000));
    const at = clock.now();
    const { code } = await clock.run(() => p.execute(() => 1).catch((error) => error));
    assert.deepEqual([code, clock.now() - at], ['CIRCUIT_BUSY', 0]);
    await clock.run(() => probe);
  });

  test('does not begin a wait that outlasts a deadline around it', async () => {
    const { endedAt, attemptsAt, error, stopped } = await runFailing(
      { delayMs: 400 },
      { outside: [deadline({ limitMs: 1_000 })] },
    );
    assert.deepEqual([endedAt, attemptsAt, error], [400, [0, 400], down]);
    assert.deepEqual(stopped, ['no-time-left', 2]);
  });

  test('does not begin a wait that outlasts the time the caller gave', async () => {
    const { endedAt, error } = await runFailing({ delayMs: 400 }, { deadlineMs: 1_000 });
    assert.deepEqual([endedAt, error], [400, down]);
  });

  test('begins no wait that takes all the time there is, and one that takes less', async () => {
    const given = async (limitMs: number) =>
      (await runFailing({ maxRetries: 1, delayMs: 400 }, { outside: [deadline({ limitMs })] }))
        .attemptsAt;
    assert.deepEqual([await given(400), await given(401)], [[0], [0, 400]]);
  });

  test('counts maxElapsedMs from the first attempt, whenever that was, and begins a retry with its last millisecond', async () => {
    const options = { backoff: 'constant', delayMs: 500, maxElapsedMs: 1_000 } as const;
    const { attemptsAt } = await runFailing({ maxRetries: 9, ...options }, { beginAt: 70_000 });
    assert.deepEqual(attemptsAt, [70_000, 70_500, 71_000]);
  });

  test('says how much of its budget is used, and that it stopped for want of it', async () => {
    const budget = retryBudget({ ratio: 1, minPerSecond: 0 });
    const { stopped, inspected } = await runFailing({ budget }, { beginAt: 5_000 });
    assert.deepEqual(
      [stopped, inspected.budget],
      [['budget', 2], { name: 'budget', calls: 1, spent: 1, allowed: 1 }],
    );
    assert.ok(!('budget' in (await runFailing({})).inspected));
  });

  test('begins no retry after maxElapsedMs', async () => {
    const { attemptsAt, stopped } = await runFailing({
      maxRetries: Infinity,
      backoff: 'constant',
      delayMs: 300,
      maxElapsedMs: 1_000,
    });
    assert.deepEqual(
      [attemptsAt, stopped],
      [
        [0, 300, 600, 900],
        ['exhausted', 4],
      ],
    );
  });

  test('does not repeat what must not happen twice and may have happened', async () => {
    const { attemptsAt, stopped } = await runFailing({}, { idempotent: false });
    assert.deepEqual([attemptsAt, stopped], [[0], ['not-idempotent', 1]]);
    const timedOut = await runFailing(
      {},
      { idempotent: false, inside: [timeout({ limitMs: 50 })], hang: true },
    );
    assert.deepEqual(timedOut.attemptsAt, [0]);
  });

  test('repeats even that where nothing can have been sent', async () => {
    const codes = ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'UND_ERR_CONNECT_TIMEOUT'];
    for (const code of codes) {
      const cause = Object.assign(new Error('connect'), { code });
      for (const thrown of [cause, new TypeError('fetch failed', { cause })]) {
        const { attemptsAt } = await runFailing({}, { idempotent: false, error: () => thrown });
        assert.equal(attemptsAt.length, 4, code);
      }
    }
    for (const [phase, attempts] of [
      ['Connect', 4],
      ['SendRequest', 1],
    ] as const) {
      // Deno's.
      const cause = new Error(`error sending request for url (…): client error (${phase}): …`);
      const error = () => new TypeError('fetch failed', { cause });
      const { attemptsAt } = await runFailing({}, { idempotent: false, error });
      assert.equal(attemptsAt.length, attempts, phase);
    }

    const clock = new VirtualClock();
    const p = pipeline('p', [retry({ jitter: 'none' }), bulkhead({ limit: 1 })], { clock });
    const holding = p.execute(() => clock.sleep(300));
    const refusedTwice = p.execute(async ({ attempt }) => [clock.now(), attempt], {
      idempotent: false,
    });
    assert.deepEqual(await clock.run(() => refusedTwice), [600, 1]);
    await holding;
  });

  test('waits as long as the dependency says, up to the ceiling, and ignores nonsense', async () => {
    const hints = [700, 0, 60_000, Number.NaN, -5];
    const { attemptsAt } = await runFailing({
      maxRetries: 5,
      delayMs: 10,
      backoff: 'constant',
      maxDelayMs: 1_000,
      delayHint: () => hints.shift(),
    });
    assert.deepEqual(attemptsAt, [0, 700, 700, 1_700, 1_710, 1_720]);
  });

  test('may be told by a result', async () => {
    const clock = new VirtualClock();
    const seen: unknown[] = [];
    const p = pipeline(
      'p',
      [
        retry({
          retryIfResult: (value) => value === 503,
          delayHint: (outcome) => {
            seen.push(outcome);
            return 40;
          },
        }),
      ],
      { clock },
    );
    const statuses = [503, 503, 200];
    const status = await clock.run(() => p.execute(async () => statuses.shift()));
    assert.deepEqual([status, seen, clock.now()], [200, [{ value: 503 }, { value: 503 }], 80]);
  });

  test('numbers attempts from 1 and reports each retry', async () => {
    const { events } = await runFailing({ maxRetries: 1, delayMs: 100 });
    assert.deepEqual(
      events.map((event) => ({ ...event, call: undefined })),
      [
        {
          type: 'attempt',
          attempt: 1,
          outcome: 'failure',
          durationMs: 0,
          policy: 'p',
          error: down,
        },
        { type: 'retry', attempt: 1, delayMs: 100, policy: 'retry', error: down },
        {
          type: 'attempt',
          attempt: 2,
          outcome: 'failure',
          durationMs: 0,
          policy: 'p',
          error: down,
        },
        { type: 'retry-stopped', attempts: 2, why: 'exhausted', policy: 'retry', error: down },
        {
          type: 'call',
          attempts: 2,
          outcome: 'failure',
          durationMs: 100,
          degraded: false,
          policy: 'p',
          error: down,
        },
      ].map((event) => ({ pipeline: 'p', call: undefined, ...event })),
    );
    assert.equal(new Set(events.map(({ call }) => call)).size, 1);
  });

  test('refuses options that cannot work, naming the culprit', () => {
    const refusals = (
      [
        { maxRetries: -1 },
        { maxRetries: 1.5 },
        { maxRetries: Number.NaN },
        { maxRetries: '3' },
        { delayMs: Infinity },
        { delayMs: 500, maxDelayMs: 100 },
        { factor: 0 },
        { backoff: 'fibonacci' },
        { jitter: { ratio: 2 } },
        { jitter: null },
        { retryIf: true },
        { name: '' },
      ] as unknown as RetryOptions[]
    ).map((options) => {
      try {
        return retry(options).name;
      } catch (error) {
        return String(error);
      }
    });
    assert.deepEqual(refusals, [
      'RangeError: retry.maxRetries must be a whole number of at least 0, not -1.',
      'RangeError: retry.maxRetries must be a whole number of at least 0, not 1.5.',
      'RangeError: retry.maxRetries must be a whole number of at least 0, not NaN.',
      'RangeError: retry.maxRetries must be a whole number of at least 0, not "3".',
      'RangeError: retry.delayMs must be a number from 0 to 2147483647, not Infinity.',
      'RangeError: retry.maxDelayMs must be a number from 500 to 2147483647, not 100.',
      'RangeError: retry.factor must be a number from 1 to 100, not 0.',
      'RangeError: retry.backoff must be one of exponential, linear, constant, decorrelated, not "fibonacci".',
      'RangeError: retry.jitter.ratio must be a number from 0 to 1, not 2.',
      'RangeError: retry.jitter must be one of full, equal, none, not null.',
      'TypeError: retry.retryIf must be a function, not true.',
      'RangeError: retry.name must be a string that is not empty, not "".',
    ]);
  });
});

interface World {
  readonly inside?: readonly Policy[];
  readonly outside?: readonly Policy[];
  readonly error?: (attempt: number) => unknown;
  readonly hang?: boolean;
  readonly deadlineMs?: number;
  readonly idempotent?: boolean;
  readonly beginAt?: number;
}

/** Runs a call that always fails and says when each attempt began, in virtual time. */
async function runFailing(options: RetryOptions, world: World = {}) {
  const { beginAt = 0, inside = [], outside = [], error = () => down, hang, ...said } = world;
  const clock = new VirtualClock();
  await clock.advance(beginAt);
  const attemptsAt: number[] = [];
  const { events, listener } = record();
  const policies = [...outside, retry({ jitter: 'none', ...options }), ...inside];
  const failing = pipeline('p', policies, { clock, report: listener });

  const thrown = await clock.run(() =>
    failing
      .execute(async () => {
        attemptsAt.push(clock.now());
        if (hang) return new Promise(() => {});
        throw error(attemptsAt.length);
      }, said)
      .catch((reason: unknown) => reason),
  );
  const last = events.find((event) => event.type === 'retry-stopped');
  const stopped = last && [last.why, last.attempts];
  const inspected = failing.inspect().policies[outside.length]!;
  return { attemptsAt, error: thrown, endedAt: clock.now(), events, inspected, stopped };
}

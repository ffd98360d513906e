import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { circuitBreaker } from '../breaker/breaker.ts';
import { pipeline } from '../pipeline.ts';
import type { Policy } from '../policy.ts';
import { retry } from '../retry/retry.ts';
import { record } from '../testing/record.ts';
import { VirtualClock } from '../testing/virtual-clock.ts';
import { deadline } from '../timeout/deadline.ts';
import { fallback } from './fallback.ts';
import type { FallbackOptions, FallbackStep } from './options.ts';

const down = new Error('down');

describe('fallback', () => {
  test('answers in place of a failure, and the answer counts as degraded', async () => {
    const seen: unknown[] = [];
    const steps = [(error: unknown) => seen.push(error) && 'cached'];
    const { outcome, events } = await run([fallback({ steps })]);
    assert.deepEqual([outcome, seen], ['cached', [down]]);
    const call = events.find((event) => event.type === 'call');
    assert.deepEqual([call?.outcome, call?.degraded, call?.attempts], ['success', true, 1]);
    const answered = events.find((event) => event.type === 'fallback');
    assert.deepEqual([answered?.step, answered?.error], [1, down]);
  });

  test('goes down the ladder until a step answers', async () => {
    const asked: number[] = [];
    const steps = [
      () => {
        asked.push(1);
        throw new Error('no cache');
      },
      async () => {
        asked.push(2);
        throw new Error('no replica');
      },
      (error: unknown) => ['default', error],
    ];
    const { outcome } = await run([fallback({ steps })]);
    assert.deepEqual(
      [outcome, asked],
      [
        ['default', down],
        [1, 2],
      ],
    );
  });

  test('rethrows the call’s own error when no step answers', async () => {
    const steps = [() => Promise.reject(new Error('no cache'))];
    const { outcome, events } = await run([fallback({ steps })]);
    assert.equal(outcome, down);
    const call = events.find((event) => event.type === 'call');
    assert.deepEqual([call?.outcome, call?.degraded], ['failure', false]);
  });

  test('comes after the retries inside it, and before those outside', async () => {
    const inside = await run([fallback({ steps: [() => 'cached'] }), retry({ maxRetries: 2 })]);
    assert.deepEqual([inside.outcome, inside.calls], ['cached', 3]);

    let asked = 0;
    const steps = [
      () => {
        asked += 1;
        if (asked < 3) throw new Error('no cache');
        return 'cached';
      },
    ];
    const outside = await run([retry(), fallback({ steps })]);
    assert.deepEqual([outside.outcome, outside.calls, asked], ['cached', 3, 3]);
  });

  test('answers for a circuit that refuses', async () => {
    const policies = [
      fallback({ steps: [(error) => (error as { code?: string }).code ?? 'down'] }),
      circuitBreaker({ consecutiveFailures: 1 }),
    ];
    const clock = new VirtualClock();
    const p = pipeline('p', policies, { clock });
    const fail = () => Promise.reject(down);
    assert.deepEqual([await p.execute(fail), await p.execute(fail)], ['down', 'CIRCUIT_OPEN']);
  });

  test('does not hide programming errors, nor what fallbackIf does not want', async () => {
    const bug = new TypeError('x is not a function');
    assert.equal((await run([fallback({ steps: [() => 'cached'] })], bug)).outcome, bug);
    const policy = fallback({ steps: [() => 'cached'], fallbackIf: (error) => error !== down });
    assert.equal((await run([policy])).outcome, down);
  });

  test('is ended by a deadline around it, and its late answer is not taken', async () => {
    const clock = new VirtualClock();
    const steps = [() => clock.sleep(500).then(() => 'late')];
    const p = pipeline('p', [deadline({ limitMs: 100 }), fallback({ steps })], { clock });
    const code = await clock.run(() =>
      p.execute(() => Promise.reject(down)).catch((error) => error.code),
    );
    assert.deepEqual([code, clock.now()], ['DEADLINE_EXCEEDED', 100]);
  });

  test('tells the caller what the answer is, before the call resolves', async () => {
    const seen: unknown[] = [];
    const clock = new VirtualClock();
    const steps: FallbackStep[] = [
      { kind: 'cached', answer: () => Promise.reject(new Error('nothing cached')) },
      { kind: 'default', answer: () => 42 },
    ];
    const p = pipeline('p', [fallback({ steps })], { clock });
    const options = { onDegraded: (how: unknown) => seen.push(how) };
    const answer = await p.execute((): Promise<number> => Promise.reject(down), options);
    seen.push(answer);
    await p.execute(async () => 1, options);
    assert.deepEqual(seen, [{ policy: 'fallback', kind: 'default', error: down }, 42]);
  });

  test('does not call a later, real answer degraded', async () => {
    const seen: unknown[] = [];
    const clock = new VirtualClock();
    const again = retry({ retryIfResult: (value) => value === 'cached' });
    const p = pipeline('p', [again, fallback({ steps: [() => 'cached'] })], { clock });
    let calls = 0;
    const answer = await clock.run(() =>
      p.execute(
        async () => {
          calls += 1;
          if (calls === 1) throw down;
          return 'real';
        },
        { onDegraded: (how) => seen.push(how) },
      ),
    );
    assert.deepEqual([answer, calls, seen], ['real', 2, []]);
  });

  test('is not harmed by an onDegraded that throws', async () => {
    const p = pipeline('p', [fallback({ steps: [() => 'cached'] })], { registry: undefined });
    const onDegraded = () => {
      throw new Error('broken');
    };
    assert.equal(
      await p.execute(
        (): string => {
          throw down;
        },
        { onDegraded },
      ),
      'cached',
    );
  });

  test('asks only the steps that may answer for the error', async () => {
    const busy = Object.assign(new Error('busy'), { status: 503 });
    const isBusy = (error: unknown) => (error as { status?: number }).status === 503;
    const steps: FallbackStep[] = [
      {
        answerIf: () => {
          throw new Error('broken predicate');
        },
        answer: () => 'never',
      },
      { kind: 'cached', answerIf: isBusy, answer: () => 'cached' },
      { kind: 'default', answerIf: (error) => !isBusy(error), answer: () => 'default' },
    ];
    const first = await run([fallback({ steps })], busy);
    const second = await run([fallback({ steps })], down);
    const third = await run([fallback({ steps: steps.slice(0, 2) })], down);
    const told = [first, second, third].map(({ events }) =>
      events.flatMap((event) => (event.type === 'fallback' ? [[event.step, event.kind]] : [])),
    );
    assert.deepEqual([first.outcome, second.outcome, third.outcome], ['cached', 'default', down]);
    assert.deepEqual(told, [[[2, 'cached']], [[3, 'default']], []]);
  });

  test('answers for a result that is not to be content with, and gives that to a step that finds it good enough', async () => {
    const clock = new VirtualClock();
    const { events, listener } = record();
    const policy = fallback({
      fallbackIfResult: ({ status }: { status: number }) => status === 503,
      steps: [
        { kind: 'cached', answerIf: () => cached !== undefined, answer: () => cached },
        { kind: 'computed', answer: (own) => own },
      ],
    });
    const p = pipeline('p', [policy], { clock, report: listener });
    let cached: { status: number } | undefined;
    const discarded: unknown[] = [];
    const ask = (status: number, signal?: AbortSignal) =>
      p.execute(() => ({ status }), { discard: (result) => discarded.push(result), signal });
    const good = await ask(200);
    const own = await ask(503);
    cached = { status: 1 };
    const other = await ask(503);
    assert.deepEqual(
      [good, own, other, discarded],
      [{ status: 200 }, { status: 503 }, { status: 1 }, [{ status: 503 }]],
    );
    const told = events.flatMap((event) => (event.type === 'fallback' ? [event] : []));
    assert.deepEqual(
      told.map(({ step, error }) => [step, error]),
      [
        [2, { status: 503 }],
        [1, { status: 503 }],
      ],
    );
    cached = clock.sleep(500) as never;
    const caller = new AbortController();
    const gone = ask(503, caller.signal).catch((error: unknown) => error);
    caller.abort('gone');
    assert.deepEqual([await gone, discarded.length], ['gone', 2]);
  });

  test('refuses steps that are none', () => {
    for (const steps of [[], undefined, 'cached', Array(21).fill(() => 1)]) {
      assert.throws(() => fallback({ steps } as FallbackOptions), /fallback\.steps must be a list/);
    }
    assert.throws(() => fallback({ steps: ['cached'] } as unknown as FallbackOptions), {
      name: 'TypeError',
      message: 'fallback.steps[0] must be a function, not "cached".',
    });
    assert.throws(() => fallback({ steps: [{ kind: 'stale' as 'cached', answer: () => 1 }] }), {
      name: 'RangeError',
      message:
        'fallback.steps[0].kind must be one of cached, default, replica, computed, not "stale".',
    });
  });
});

/** Runs a call that fails behind `policies`. */
async function run(policies: readonly Policy[], error: unknown = down) {
  const clock = new VirtualClock();
  const { events, listener } = record();
  const p = pipeline('p', policies, { clock, report: listener });
  let calls = 0;
  const outcome = await clock.run(() =>
    p
      .execute((): Promise<unknown> => {
        calls += 1;
        return Promise.reject(error);
      })
      .catch((reason: unknown) => reason),
  );
  return { outcome, events, calls };
}

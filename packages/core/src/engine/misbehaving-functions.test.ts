import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { circuitBreaker } from '../breaker/breaker.ts';
import { bulkhead } from '../bulkhead/bulkhead.ts';
import { cache } from '../cache/cache.ts';
import { hedge } from '../hedge/hedge.ts';
import { pipeline } from '../pipeline.ts';
import type { Policy } from '../policy.ts';
import { retry } from '../retry/retry.ts';
import { VirtualClock } from '../testing/virtual-clock.ts';
import { virtualWorld } from '../testing/virtual-world.ts';
import { timeout } from '../timeout/timeout.ts';

describe('functions that misbehave', () => {
  const policies = () => [
    retry({ maxRetries: 1, delayMs: 10, jitter: 'none' }),
    circuitBreaker(),
    bulkhead({ limit: 1 }),
    timeout({ limitMs: 100 }),
  ];

  test('one that throws at once fails as one that rejects does', async () => {
    const error = new Error('at once');
    const thrown = await outcome(policies(), () => {
      throw error;
    });
    assert.deepEqual(thrown, { error, atMs: 10, calls: 2 });
  });

  test('what is no promise is the answer', async () => {
    for (const value of [undefined, null, 0, '', false, Symbol.for('x')]) {
      assert.deepEqual(await outcome(policies(), () => value), { value, atMs: 0, calls: 1 });
    }
  });

  test('a thenable that calls back twice is heard once', async () => {
    const twice = {
      // biome-ignore lint/suspicious/noThenProperty: a thenable is what this is about.
      then(resolve: (value: string) => void, reject: (error: Error) => void) {
        resolve('first');
        reject(new Error('second'));
        resolve('third');
      },
    };
    assert.deepEqual(await outcome(policies(), () => twice), { value: 'first', atMs: 0, calls: 1 });
  });

  test('a thenable that throws has failed', async () => {
    const error = new Error('no then today');
    const broken = {
      // biome-ignore lint/suspicious/noThenProperty: a thenable is what this is about.
      get then(): never {
        throw error;
      },
    };
    assert.deepEqual(await outcome(policies(), () => broken), { error, atMs: 10, calls: 2 });
  });

  test('what is returned or thrown ends the call also where nothing can be asked of it', async () => {
    const { proxy: gone, revoke } = Proxy.revocable({}, {});
    revoke();
    const asAwaited = await outcome([bulkhead({ limit: 1 })], () => gone);
    assert.match(String(asAwaited.error), /TypeError: .*revoked/);
    const kinds = [[], [retry()], [circuitBreaker()], [cache()], [hedge({ delayMs: 5 })]];
    for (const each of kinds as readonly Policy[][]) {
      const world = virtualWorld();
      const p = pipeline('gone', [bulkhead({ limit: 1 }), ...each], world.env);
      const call = () =>
        p
          .execute(() => Promise.reject(gone), { cacheKey: 'k' })
          .then(
            () => 'resolved',
            () => 'rejected',
          );
      assert.equal((await world.play(call)).value, 'rejected', each[0]?.kind);
      assert.deepEqual(world.left(), [], each[0]?.kind);
      assert.match(world.text(), / call attempts=1 /);
    }
  });

  test('one that never settles ends by its time limits', async () => {
    const hung = await outcome(policies(), () => new Promise(() => {}));
    assert.deepEqual(
      [(hung.error as { code: string }).code, hung.atMs, hung.calls],
      ['TIMED_OUT', 210, 2],
    );
  });

  test('a signal that is aborted already spares the function', async () => {
    const reason = new Error('too late');
    const signal = AbortSignal.abort(reason);
    assert.deepEqual(await outcome(policies(), () => 'never', signal), {
      error: reason,
      atMs: 0,
      calls: 0,
    });
  });

  test('one that ends the last caller who waits for its answer is left behind at once', async () => {
    const clock = new VirtualClock();
    const policies = [cache(), retry({ maxRetries: 3, delayMs: 10, jitter: 'none' })];
    const p = pipeline('p', policies, { clock, registry: undefined });
    const caller = new AbortController();
    const signals: AbortSignal[] = [];
    const ended = await clock.run(() =>
      p
        .execute(
          ({ attempt, signal }) => {
            signals.push(signal);
            if (attempt === 1) throw new Error('again');
            caller.abort('gone');
            return new Promise(() => {});
          },
          { cacheKey: 'a', signal: caller.signal },
        )
        .catch((reason: unknown) => reason),
    );
    assert.deepEqual([ended, clock.now()], ['gone', 10]);
    assert.deepEqual(
      signals.map(({ reason }) => reason),
      [undefined, 'gone'],
    );
    assert.deepEqual(
      [p.inspect().inFlight, p.inspect().policies[0]?.cache?.fetching, clock.pendingTimers],
      [0, 0, 0],
    );
    assert.equal(await p.execute(() => 'asked anew', { cacheKey: 'a' }), 'asked anew');
  });

  test('what is no function at all is told so', async () => {
    await assert.rejects(pipeline('p', []).execute('fn' as never), {
      name: 'TypeError',
      message: 'execute.fn must be a function, not fn.',
    });
  });
});

async function outcome(policies: readonly Policy[], fn: () => unknown, signal?: AbortSignal) {
  const clock = new VirtualClock();
  const p = pipeline('p', policies, { clock });
  let calls = 0;
  const settled = await clock.run(() =>
    p
      .execute(
        () => {
          calls += 1;
          return fn();
        },
        signal === undefined ? {} : { signal },
      )
      .then(
        (value: unknown) => ({ value }),
        (error: unknown) => ({ error }),
      ),
  );
  const atMs = clock.now();
  assert.equal(p.inspect().inFlight, 0);
  return { ...settled, atMs, calls } as {
    value?: unknown;
    error?: unknown;
    atMs: number;
    calls: number;
  };
}

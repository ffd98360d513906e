import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { pipeline } from '../pipeline.ts';
import { retry } from '../retry/retry.ts';
import { VirtualClock } from '../testing/virtual-clock.ts';
import { timeout } from '../timeout/timeout.ts';

describe('whatever a function does, its call settles once', () => {
  test('a function that throws at once rejects, and is tried again', async () => {
    let calls = 0;
    const { outcome } = await settle(() => {
      calls += 1;
      throw new Error('at once');
    });
    assert.deepEqual([outcome, calls], ['Error: at once', 4]);
  });

  test('plain values are results: none, null, numbers, objects, functions', async () => {
    const fn = () => 1;
    for (const value of [undefined, null, 0, '', { a: 1 }, fn]) {
      assert.equal((await settle(() => value)).outcome, value);
    }
  });

  test('a thenable that calls back twice counts once', async () => {
    const twice = {
      // biome-ignore lint/suspicious/noThenProperty: a broken thenable is what this is about
      then(ok: (value: string) => void, err: (error: Error) => void) {
        ok('first');
        ok('second');
        err(new Error('third'));
      },
    };
    const { outcome, settled } = await settle(() => twice);
    assert.deepEqual([outcome, settled], ['first', 1]);
  });

  test('a native promise whose own `then` calls back twice counts once', async () => {
    const promise = Promise.resolve('inner');
    void Object.defineProperty(promise, 'then', {
      value: (ok: (value: string) => void) => {
        ok('first');
        ok('second');
      },
    });
    const { outcome, settled } = await settle(() => promise);
    assert.deepEqual([outcome, settled], ['first', 1]);
  });

  test('a promise that calls back again later does not end the call that comes after', async () => {
    const clock = new VirtualClock();
    const p = pipeline('p', [], { clock });
    let again = () => {};
    const promise = Promise.resolve('inner');
    void Object.defineProperty(promise, 'then', {
      value: (ok: (value: string) => void) => {
        ok('first');
        again = () => ok('second');
      },
    });
    const first = await p.execute(() => promise);
    const next = p.execute(() => clock.sleep(10).then(() => 'its own'));
    again();
    assert.deepEqual([first, await clock.run(() => next)], ['first', 'its own']);
  });

  test('a thenable whose `then` cannot be read rejects with that error', async () => {
    const broken = {
      // biome-ignore lint/suspicious/noThenProperty: a broken thenable is what this is about
      get then(): never {
        throw new Error('unreadable');
      },
    };
    assert.equal((await settle(() => broken)).outcome, 'Error: unreadable');
  });

  test('a promise of a subclass is awaited like any other', async () => {
    class Traced extends Promise<string> {}
    assert.equal((await settle(() => Traced.resolve('traced'))).outcome, 'traced');
  });

  test('a function that never ends is left behind by its time-outs', async () => {
    const { outcome, atMs } = await settle(() => new Promise(() => {}));
    assert.deepEqual([outcome, atMs], ['TimedOutError: "timeout" gave up after 100 ms.', 1_800]);
  });

  test('falsy errors are errors', async () => {
    const p = pipeline('falsy', [], { clock: new VirtualClock() });
    await assert.rejects(
      p.execute(() => Promise.reject(undefined)),
      (error) => error === undefined,
    );
  });

  test('what is no function is a TypeError that says so', async () => {
    const p = pipeline('p', []);
    await assert.rejects(p.execute(7 as never), {
      name: 'TypeError',
      message: 'execute.fn must be a function, not 7.',
    });
  });

  test('a predicate that throws ends the call with its error and gives its permit back', async () => {
    const p = pipeline(
      'p',
      [
        retry({
          retryIf: () => {
            throw new Error('broken predicate');
          },
        }),
      ],
      { clock: new VirtualClock() },
    );
    await assert.rejects(
      p.execute(() => Promise.reject(new Error('down'))),
      /broken predicate/,
    );
    assert.equal(p.inspect().inFlight, 0);
  });
});

/** Runs `fn` behind a retry and a time-out; says how and when it settled, and how often. */
async function settle(fn: () => unknown) {
  const clock = new VirtualClock();
  const p = pipeline('shapes', [retry({ jitter: 'none' }), timeout({ limitMs: 100 })], { clock });
  let settled = 0;
  const outcome = await clock.run(() =>
    p
      .execute(fn)
      .catch(String)
      .then((value) => {
        settled += 1;
        return typeof value === 'function' ? () => value : value;
      }),
  );
  return {
    outcome: typeof outcome === 'function' ? (outcome as () => unknown)() : outcome,
    atMs: clock.now(),
    settled,
  };
}

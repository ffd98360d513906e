import assert from 'node:assert/strict';
import { AsyncLocalStorage } from 'node:async_hooks';
import { describe, test } from 'node:test';
import {
  adaptiveLimit,
  bulkhead,
  type Criticality,
  cache,
  circuitBreaker,
  fallback,
  fault,
  hedge,
  type Policy,
  pipeline,
  rateLimit,
  retry,
  timeout,
} from './index.ts';
import { virtualWorld } from './testing/index.ts';

// What users of the peers complained of, or count on as their suites say, with the issue where there is one.

const down = () => Promise.reject(new Error('down'));
const never = () => new Promise<never>(() => {});
const again = (maxRetries: number) =>
  retry({ maxRetries, backoff: 'constant', delayMs: 10, jitter: 'none' });

/** A pipeline in a world of its own. */
function setUp(...policies: readonly Policy[]) {
  const world = virtualWorld();
  const p = pipeline('p', policies, world.env);
  const first = () => p.inspect().policies[0]!;
  return { ...world, p, first, circuit: () => first().circuit! };
}

/** `ok`, or the code of a refusal, of each. */
const ends = (calls: readonly Promise<unknown>[]) =>
  Promise.all(
    calls.map((call) =>
      call.then(
        () => 'ok',
        (error: { code?: string; message: string }) => error.code ?? error.message,
      ),
    ),
  );

describe('a circuit', () => {
  test('opens once for failures that come together, and probes in time (opossum #385)', async () => {
    const w = setUp(circuitBreaker({ consecutiveFailures: 5, openMs: 100 }));
    const calls = () =>
      Array.from({ length: 6 }, () => w.p.execute(() => w.clock.sleep(5).then(down)));
    await w.play(() => Promise.allSettled(calls()));
    assert.deepEqual([w.circuit().state, w.circuit().opened], ['open', 1]);
    await w.clock.advance(100);
    assert.equal((await w.play(() => w.p.execute(() => 'well'))).value, 'well');
    assert.equal(w.circuit().state, 'closed');
  });

  test('is not closed by an answer from before it opened (opossum #381)', async () => {
    const w = setUp(circuitBreaker({ consecutiveFailures: 1 }));
    const slow = w.p.execute(() => w.clock.sleep(50));
    await w.play(() => w.p.execute(down));
    await w.play(() => slow);
    assert.equal(w.circuit().state, 'open');
  });

  test('comes out of half-open when the answer is an error that is no failure (opossum #388)', async () => {
    const notFound = new Error('404');
    const w = setUp(circuitBreaker({ consecutiveFailures: 1, failureIf: (e) => e !== notFound }));
    await w.play(() => w.p.execute(down));
    await w.clock.advance(10_000);
    await w.play(() => w.p.execute(() => Promise.reject(notFound)));
    assert.equal(w.circuit().state, 'closed');
  });

  test('loses no permit to a predicate that throws (resilience4j #2324)', async () => {
    const ignoreIf = (error: unknown) => {
      if (String(error) === 'Error: odd') throw new Error('broken predicate');
      return false;
    };
    const w = setUp(circuitBreaker({ consecutiveFailures: 1, ignoreIf }));
    await w.play(() => w.p.execute(down));
    await w.clock.advance(10_000);
    const { error } = await w.play(() => w.p.execute(() => Promise.reject(new Error('odd'))));
    assert.equal(String(error), 'Error: broken predicate');
    assert.equal((await w.play(() => w.p.execute(() => 'well'))).value, 'well');
  });

  test('lets no more probes through than permits, however many come (resilience4j #1432)', async () => {
    const w = setUp(circuitBreaker({ consecutiveFailures: 1, halfOpenPermits: 3 }));
    await w.play(() => w.p.execute(down));
    await w.clock.advance(10_000);
    const calls = () => Array.from({ length: 5 }, () => w.p.execute(() => w.clock.sleep(5)));
    const { value } = await w.play(() => ends(calls()));
    assert.deepEqual(value, ['ok', 'ok', 'ok', 'CIRCUIT_BUSY', 'CIRCUIT_BUSY']);
    assert.equal(w.circuit().state, 'closed');
  });
});

describe('a time limit', () => {
  test('aborts the call that is late and no other (opossum #780)', async () => {
    const w = setUp(timeout({ limitMs: 10 }));
    const { value } = await w.play(async () => {
      const late = w.p.execute(never);
      await w.clock.sleep(5);
      return ends([late, w.p.execute(({ signal }) => w.clock.sleep(8, signal))]);
    });
    assert.deepEqual(value, ['TIMED_OUT', 'ok']);
  });

  test('ends the wait for a rate or a place as well (failsafe-go #14)', async () => {
    for (const inside of [
      rateLimit({ limit: 1, intervalMs: 60_000, maxWaitMs: 60_000 }),
      bulkhead({ limit: 1, queueLimit: 5, queueTimeoutMs: 60_000 }),
    ]) {
      const w = setUp(timeout({ limitMs: 100 }), inside);
      const calls = () => [w.p.execute(() => w.clock.sleep(99)), w.p.execute(never)];
      const { value, tookMs } = await w.play(() => ends(calls()));
      assert.deepEqual([value, tookMs, w.left()], [['ok', 'TIMED_OUT'], 100, []], inside.kind);
    }
  });

  test('leaves the caller’s own reason to the caller (Polly #3086)', async () => {
    const limit = timeout({ limitMs: 60_000 });
    const orders = [[limit], [limit, again(3)], [again(3), limit], [hedge({ delayMs: 60_000 })]];
    for (const policies of orders) {
      const w = setUp(...policies);
      const caller = new AbortController();
      const leave = ({ signal }: { signal: AbortSignal }) => {
        caller.abort('the user has left');
        signal.throwIfAborted();
      };
      const { error } = await w.play(() => w.p.execute(leave, { signal: caller.signal }));
      assert.equal(error, 'the user has left', policies.map(({ kind }) => kind).join());
    }
  });

  test('has a fallback answer once, also when the function fails after it', async () => {
    let answers = 0;
    const step = () => {
      answers += 1;
    };
    const w = setUp(fallback({ steps: [step] }), timeout({ limitMs: 10 }));
    await w.play(() => w.p.execute(() => w.clock.sleep(50).then(down)));
    await w.clock.advance(100);
    assert.equal(answers, 1);
  });
});

describe('a queue', () => {
  test('is not held up by one who has left it (cockatiel #112)', async () => {
    const w = setUp(bulkhead({ limit: 1, queueLimit: 1 }));
    const caller = new AbortController();
    const { value } = await w.play(() => {
      const inside = w.p.execute(() => w.clock.sleep(10));
      const leaves = w.p.execute(never, { signal: caller.signal });
      caller.abort(new Error('left'));
      return ends([inside, leaves, w.p.execute(() => 'next')]);
    });
    assert.deepEqual(value, ['ok', 'left', 'ok']);
  });

  test('loses no place to calls that give up waiting (Failsafe #393)', async () => {
    const w = setUp(bulkhead({ limit: 2, queueLimit: 50, queueTimeoutMs: 10 }));
    const calls = (n: number, ms: number) =>
      Array.from({ length: n }, () => w.p.execute(() => w.clock.sleep(ms)));
    const { value } = await w.play(() => ends(calls(10, 30)));
    assert.equal(value?.filter((end) => end === 'QUEUE_TIMED_OUT').length, 8);
    assert.deepEqual((await w.play(() => ends(calls(2, 1)))).value, ['ok', 'ok']);
    assert.deepEqual(w.left(), []);
  });

  test('runs each call in the async context of its caller (p-limit)', async () => {
    const w = setUp(bulkhead({ limit: 2, queueLimit: 100 }));
    const context = new AsyncLocalStorage<number>();
    const seen = await w.clock.run(() =>
      Promise.all(
        Array.from({ length: 50 }, (_, id) =>
          context.run(id, () =>
            w.p.execute(async () => {
              await w.clock.sleep(1);
              return context.getStore() === id;
            }),
          ),
        ),
      ),
    );
    assert.deepEqual(new Set(seen), new Set([true]));
  });

  test('goes on with fewer places, or more, while calls wait (p-limit)', async () => {
    for (const [before, after] of [
      [4, 2],
      [2, 4],
    ] as const) {
      const w = setUp(bulkhead({ limit: before, queueLimit: 50 }));
      let running = 0;
      const most: number[] = [];
      const work = async () => {
        running += 1;
        most.push(running);
        await w.clock.sleep(50);
        running -= 1;
      };
      await w.clock.run(() => {
        const all = Array.from({ length: 10 }, () => w.p.execute(work));
        w.p.swap([bulkhead({ limit: after, queueLimit: 50 })]);
        return Promise.all(all);
      });
      assert.deepEqual([Math.max(...most), most.at(-1)], [4, after]);
    }
  });
});

describe('a rate', () => {
  test('has nothing used up by those that are aborted while they wait (p-queue)', async () => {
    const w = setUp(rateLimit({ limit: 1, intervalMs: 100, maxWaitMs: 60_000 }));
    const caller = new AbortController();
    const { value, tookMs } = await w.play(() => {
      const calls = [w.p.execute(() => 'first')];
      for (let n = 0; n < 5; n += 1) calls.push(w.p.execute(never, { signal: caller.signal }));
      calls.push(w.p.execute(() => 'last'));
      caller.abort(new Error('left'));
      return ends(calls);
    });
    assert.deepEqual([value, tookMs], [['ok', 'left', 'left', 'left', 'left', 'left', 'ok'], 100]);
  });

  test('gives its next turn to who matters most, behind a bulkhead with ranks (Bottleneck)', async () => {
    const w = setUp(
      bulkhead({ limit: 1, queueLimit: 9, order: 'criticality', queueTimeoutMs: Infinity }),
      rateLimit({ limit: 1, intervalMs: 100, maxWaitMs: 60_000 }),
    );
    const served: string[] = [];
    const call = (criticality: Criticality) =>
      w.p.execute(() => served.push(`${criticality} ${w.clock.now()}`), { criticality });
    await w.play(() =>
      Promise.all([call('sheddable'), call('sheddable'), call('sheddable'), call('critical')]),
    );
    assert.deepEqual(served, ['sheddable 0', 'sheddable 100', 'critical 200', 'sheddable 300']);
  });
});

test('a circuit hears in two steps of work that is no function (gobreaker’s Allow)', async () => {
  const w = setUp(circuitBreaker({ consecutiveFailures: 1, openMs: 100 }));
  const work = Promise.withResolvers<string>();
  const call = w.p.execute(() => work.promise);
  work.reject(new Error('failed'));
  const first = await ends([call]);
  const second = await ends([w.p.execute(() => 'not now')]);
  assert.deepEqual([first, second], [['failed'], ['CIRCUIT_OPEN']]);
});

describe('attempts', () => {
  test('are made until the last, also where a rate or a full bulkhead refuses them (Failsafe)', async () => {
    const rate = setUp(again(6), rateLimit({ limit: 3, intervalMs: 1_000 }));
    let runs = 0;
    const count = () => {
      runs += 1;
      return down();
    };
    const { error, events } = await rate.play(() => rate.p.execute(count));
    const retries = events.filter(({ type }) => type === 'retry').length;
    assert.deepEqual([runs, retries, String(error).slice(0, 16)], [3, 6, 'RateLimitedError']);

    const full = setUp(again(6), bulkhead({ limit: 1 }));
    const { value } = await full.play(() =>
      ends([full.p.execute(() => full.clock.sleep(200)), full.p.execute(never)]),
    );
    assert.deepEqual(value, ['ok', 'BULKHEAD_FULL']);
  });

  test('multiply: a retry around a hedge makes six of three and two (failsafe-go)', async () => {
    const w = setUp(again(2), hedge({ delayMs: 10 }));
    let runs = 0;
    await w.play(() =>
      w.p.execute(() => {
        runs += 1;
        return w.clock.sleep(20).then(down);
      }),
    );
    assert.equal(runs, 6);
  });

  test('of a hedge have signals of their own, and those that lose are aborted (Polly)', async () => {
    const w = setUp(hedge({ delayMs: 10, maxHedges: 2 }));
    const signals: AbortSignal[] = [];
    const { value } = await w.play(() =>
      w.p.execute(async ({ attempt, signal }) => {
        signals.push(signal);
        await w.clock.sleep(attempt === 3 ? 5 : 1_000);
        return attempt;
      }),
    );
    assert.deepEqual([value, signals.map(({ aborted }) => aborted)], [3, [true, true, false]]);
    assert.equal(new Set(signals).size, 3);
  });

  test('are none where the caller leaves while a fault is decided on (Simmy)', async () => {
    const caller = new AbortController();
    const enabled = () => {
      caller.abort('left');
      return true;
    };
    const w = setUp(fault({ inject: 'result', ratio: 1, result: () => 'wrong', enabled }));
    let runs = 0;
    const run = () => {
      runs += 1;
    };
    const { error } = await w.play(() => w.p.execute(run, { signal: caller.signal }));
    assert.deepEqual([error, runs], ['left', 0]);
  });
});

describe('a cache', () => {
  test('keeps what it has when a renewal fails, and nobody hears of that (lru-cache #233)', async () => {
    const w = setUp(cache({ ttlMs: 10, staleMs: 1_000 }));
    let asked = 0;
    const ask = () => {
      asked += 1;
      return asked === 1 ? 'first' : down();
    };
    const get = async () => (await w.play(() => w.p.execute(ask, { cacheKey: 'k' }))).value;
    const values = [await get()];
    for (let n = 0; n < 3; n += 1) {
      await w.clock.advance(20);
      values.push(await get());
    }
    assert.deepEqual([values, asked], [['first', 'first', 'first', 'first'], 4]);
  });

  test('goes on asking for the others when one of them leaves (lru-cache)', async () => {
    const w = setUp(cache());
    const caller = new AbortController();
    const ask = () => w.clock.sleep(10).then(() => 'answer');
    const { value } = await w.play(() => {
      const leaves = w.p.execute(ask, { cacheKey: 'k', signal: caller.signal });
      const stays = w.p.execute(ask, { cacheKey: 'k' });
      caller.abort(new Error('left'));
      return Promise.all([ends([leaves]), stays]);
    });
    assert.deepEqual(value, [['left'], 'answer']);
  });
});

test('a limit’s share is there for its class though others have filled the rest (concurrency-limits)', async () => {
  const shares = { critical: 0.7, sheddable: 0.3 };
  const w = setUp(adaptiveLimit({ initialLimit: 10, minLimit: 10, maxLimit: 10, shares }));
  const call = (criticality: Criticality) => w.p.execute(() => w.clock.sleep(10), { criticality });
  const { value } = await w.play(() => {
    const batch = Array.from({ length: 11 }, () => call('sheddable'));
    const live = Array.from({ length: 8 }, () => call('critical'));
    return Promise.all([ends(batch), ends(live)]);
  });
  const served = value?.map((all) => all.filter((end) => end === 'ok').length);
  assert.deepEqual(served, [10, 7]);
});

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { circuitBreaker } from '../breaker/breaker.ts';
import { bulkhead } from '../bulkhead/bulkhead.ts';
import { pipeline } from '../pipeline.ts';
import type { ExecuteOptions, Policy } from '../policy.ts';
import { createRegistry } from '../registry.ts';
import { retry } from '../retry/retry.ts';
import { record } from '../testing/record.ts';
import { seededRandom } from '../testing/seeded-random.ts';
import { VirtualClock } from '../testing/virtual-clock.ts';
import { timeout } from '../timeout/timeout.ts';
import { fault } from './fault.ts';
import { isInjectedFault } from './injected.ts';
import type { FaultOptions } from './options.ts';

describe('fault', () => {
  test('an error is the dependency’s to everybody but who asks, and circuits count it', async () => {
    const outside = [circuitBreaker({ consecutiveFailures: 2 })];
    const { call, p } = setUp({ inject: 'error', ratio: 1 }, { outside });
    const first = await call();
    await call();
    assert.deepEqual(
      [first.error?.code, first.error?.name, isInjectedFault(first.error), first.ran],
      ['ECONNRESET', 'Error', true, 0],
    );
    assert.equal(p.inspect().policies[0]?.circuit?.state, 'open');
    assert.equal(isInjectedFault(new Error('real')), false);
  });

  test('latency comes before the function, a hang in place of it, a result as well', async () => {
    const late = await setUp({ inject: 'latency', ratio: 1, delayMs: 300 }).call();
    const hung = await setUp(
      { inject: 'hang', ratio: 1 },
      { inside: [], outside: [timeout({ limitMs: 200 })] },
    ).call();
    const wrong = await setUp({ inject: 'result', ratio: 1, result: () => 'wrong' }).call();
    assert.deepEqual(
      [
        late.value,
        late.tookMs,
        late.ran,
        hung.error?.code,
        hung.tookMs,
        hung.ran,
        wrong.value,
        wrong.ran,
      ],
      ['well', 300, 1, 'TIMED_OUT', 200, 0, 'wrong', 0],
    );
  });

  test('further out it stands for all that is inside it', async () => {
    const inside = [bulkhead({ limit: 1 })];
    const late = await setUp({ inject: 'latency', ratio: 1, delayMs: 300 }, { inside }).call();
    const refused = await setUp({ inject: 'error', ratio: 1 }, { inside }).call();
    assert.deepEqual([late.value, late.tookMs, refused.error?.code], ['well', 300, 'ECONNRESET']);
  });

  test('strikes by chance as often as it says, and only where its gate lets it', async () => {
    const some = setUp({ inject: 'error', ratio: 0.3 });
    let failed = 0;
    for (let n = 0; n < 1_000; n += 1) if ((await some.call()).error !== undefined) failed += 1;
    const gated = setUp({ inject: 'error', ratio: 1, enabled: ({ key }) => key === 'staging' });
    const codes = [];
    for (const key of ['staging', 'live']) codes.push((await gated.call({ key })).error?.code);
    const broken = setUp({
      inject: 'error',
      ratio: 1,
      enabled: () => {
        throw new Error('gate');
      },
    });
    assert.ok(failed > 250 && failed < 350, `${failed} of 1000`);
    assert.deepEqual([codes, (await broken.call()).value], [['ECONNRESET', undefined], 'well']);
  });

  test('expires, and lets go then of what it holds', async () => {
    const { call, clock, p } = setUp({ inject: 'hang', ratio: 1, forMs: 1_000 });
    const held = await call();
    const after = await call();
    assert.deepEqual(
      [held.value, held.tookMs, after.tookMs, p.inspect().policies.at(-1)?.fault],
      ['well', 1_000, 0, { inject: 'hang', ratio: 1, expiresInMs: 0, injected: 1, held: 0 }],
    );
    assert.equal(clock.pendingTimers, 0);
  });

  test('does not begin anew when something beside it is swapped', async () => {
    const policy = fault({ inject: 'error', ratio: 1, forMs: 1_000 });
    const clock = new VirtualClock();
    const p = pipeline('p', [policy], { clock });
    await clock.advance(900);
    p.swap([retry({ maxRetries: 0 }), policy]);
    await clock.advance(200);
    assert.equal(await p.execute(() => 'well'), 'well');
  });

  test('ends everywhere at once by the switch of the registry, and begins again by it', async () => {
    const { call, clock, p, registry } = setUp({ inject: 'hang', ratio: 1 });
    const begun = p.execute(() => 'well');
    await clock.advance(1);
    const held = p.inspect().policies[0]?.fault?.held;
    registry.faults.stop();
    const freed = await begun;
    const spared = await call();
    registry.faults.allow();
    const again = setUp({ inject: 'error', ratio: 1 }, { registry });
    assert.deepEqual(
      [held, freed, spared.value, (await again.call()).error?.code],
      [1, 'well', 'well', 'ECONNRESET'],
    );
  });

  test('a caller that goes away is let go, and nothing is left', async () => {
    const { call, clock, p } = setUp({ inject: 'hang', ratio: 1 });
    const caller = new AbortController();
    const gone = call({ signal: caller.signal });
    caller.abort(new Error('gone'));
    const { error } = await gone;
    assert.deepEqual(
      [error?.message, p.inspect().policies[0]?.fault?.held, clock.pendingTimers],
      ['gone', 0, 0],
    );
  });

  test('tells what it put in', async () => {
    const { call, events } = setUp({ inject: 'latency', ratio: 1, delayMs: 50 });
    await call();
    const told = events.flatMap((event) =>
      event.type === 'fault' ? [[event.policy, event.fault, event.delayMs]] : [],
    );
    assert.deepEqual(told, [['fault', 'latency', 50]]);
  });

  test('refuses options that cannot work, naming the culprit', () => {
    const refused = (options: unknown) => {
      try {
        return fault(options as FaultOptions).name;
      } catch (error) {
        return String(error);
      }
    };
    assert.deepEqual(
      [
        { inject: 'chaos', ratio: 1 },
        { inject: 'error', ratio: 2 },
        { inject: 'error', ratio: 1, forMs: Infinity },
        { inject: 'latency', ratio: 1 },
        { inject: 'result', ratio: 1 },
      ].map(refused),
      [
        'RangeError: fault.inject must be one of error, latency, hang, result, not "chaos".',
        'RangeError: fault.ratio must be a number from 0 to 1, not 2.',
        'RangeError: fault.forMs must be a number from 1 to 86400000, not Infinity.',
        'RangeError: fault.delayMs must be a number from 0 to 2147483647, not undefined.',
        'TypeError: fault.result must be a function, not null.',
      ],
    );
  });
});

function setUp(
  options: FaultOptions,
  world: {
    readonly inside?: readonly Policy[];
    readonly outside?: readonly Policy[];
    readonly registry?: ReturnType<typeof createRegistry>;
  } = {},
) {
  const { inside = [], outside = [], registry = createRegistry() } = world;
  const clock = new VirtualClock();
  const { events, listener } = record();
  const p = pipeline('p', [...outside, fault(options), ...inside], {
    clock,
    random: seededRandom(5),
    registry,
    report: listener,
  });
  const call = async (said: ExecuteOptions<string> = {}) => {
    const begunMs = clock.now();
    let ran = 0;
    const outcome = await clock.run(() =>
      p
        .execute(() => {
          ran += 1;
          return 'well';
        }, said)
        .then(
          (value) => ({ value, error: undefined }),
          (error: Error & { code?: string }) => ({ value: undefined, error }),
        ),
    );
    return { ...outcome, ran, tookMs: clock.now() - begunMs };
  };
  return { call, clock, events, p, registry };
}

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ForcedState } from '../engine/stage.ts';
import { pipeline } from '../pipeline.ts';
import { createRegistry } from '../registry.ts';
import { record } from '../testing/record.ts';
import { VirtualClock } from '../testing/virtual-clock.ts';
import { circuitBreaker } from './breaker.ts';
import type { CircuitBreakerOptions } from './options.ts';

const options: CircuitBreakerOptions = { consecutiveFailures: 2, openMs: 1_000 };

describe('a circuit that is forced', () => {
  test('lets calls through as its state says, and counts them where that is a state of its own', async () => {
    const outcomes: Record<string, unknown> = {};
    for (const as of ['forced-open', 'forced-closed', 'disabled', 'observe'] as const) {
      const { call, circuit, force } = setUp(options);
      force(as, 5_000);
      const answers = [
        await call('ok'),
        await call('fail'),
        await call('fail'),
        await call('fail'),
      ];
      const { counts, state } = circuit();
      outcomes[as] = [...answers, state, counts.requests, counts.totalFailures];
    }
    assert.deepEqual(outcomes, {
      'forced-open': [...Array(4).fill('CIRCUIT_OPEN'), 'forced-open', 0, 0],
      'forced-closed': ['up', 'down', 'down', 'down', 'forced-closed', 4, 3],
      disabled: ['up', 'down', 'down', 'down', 'disabled', 0, 0],
      // What is shown is what it would be: open, which nothing opens again.
      observe: ['up', 'down', 'down', 'down', 'observe', 0, 0],
    });
  });

  test('says what is left of its time, and nothing of times that it does not have', async () => {
    const times = (rules: CircuitBreakerOptions, as?: ForcedState) => {
      const { circuit, force } = setUp(rules);
      if (as !== undefined) force(as, 5_000);
      const { retryAfterMs, ...rest } = circuit();
      return [rest.state, retryAfterMs, ...('expiresInMs' in rest ? [rest.expiresInMs] : [])];
    };
    assert.deepEqual(
      [
        times(options),
        times({ ...options, clearIntervalMs: 700 }),
        times({ ...options, observe: true }),
        times(options, 'forced-open'),
        times(options, 'forced-closed'),
        times(options, 'disabled'),
        times(options, 'observe'),
      ],
      [
        ['closed', 0],
        ['closed', 0],
        ['observe', 0],
        ['forced-open', 5_000, 5_000],
        ['forced-closed', 0, 5_000],
        ['disabled', 0, 5_000],
        ['observe', 0, 5_000],
      ],
    );
  });

  test('has what opened it to show where something did, until it closes', async () => {
    const { call, circuit, clock, force } = setUp(options);
    const shown = () => ('trippedBy' in circuit() ? circuit().trippedBy?.totalFailures : 'nothing');
    const seen: unknown[] = [shown()];
    await call('fail');
    await call('fail');
    seen.push(shown());
    await clock.advance(1_000);
    seen.push(shown(), circuit().retryAfterMs);
    await call('ok');
    seen.push(shown());
    force('forced-open', 1_000);
    await clock.advance(1_000);
    seen.push(circuit().state, shown());
    assert.deepEqual(seen, ['nothing', 2, 2, 0, 'nothing', 'half-open', 'nothing']);
  });

  test('says by whose hand and for how long, and tells of each change once', async () => {
    const { changes, clock, force } = setUp(options);
    await clock.advance(700);
    force('closed', 1_000);
    force('disabled', 1_000);
    force('closed', 1_000);
    force('closed', 1_000);
    assert.deepEqual(changes(), [
      { from: 'closed', to: 'disabled', why: 'forced by hand for 1000 ms' },
      { from: 'disabled', to: 'closed', why: 'closed by hand' },
    ]);
  });

  test('has gone on with the time until then, though nobody looked', async () => {
    const { call, changes, clock, force } = setUp(options);
    await call('fail');
    await call('fail');
    await clock.advance(1_500);
    force('forced-closed', 1_000);
    assert.deepEqual(
      changes().map(({ from, to }) => `${from} > ${to}`),
      ['closed > open', 'open > half-open', 'half-open > forced-closed'],
    );
  });

  test('is closed by hand from wherever it is', async () => {
    const { call, circuit, force } = setUp(options);
    await call('fail');
    await call('fail');
    force('closed', 1_000);
    assert.deepEqual([circuit().state, circuit().why], ['closed', 'closed by hand']);
    assert.equal(await call('ok'), 'up');
  });

  test('that is to observe goes on watching from where it was, or from closed after another force', async () => {
    const observed: unknown[] = [];
    for (const before of ['one failure', 'open', 'half-open', 'forced-open'] as const) {
      const { call, circuit, clock, force } = setUp(options);
      await call('fail');
      if (before === 'open' || before === 'half-open') await call('fail');
      if (before === 'half-open') await clock.advance(1_000);
      circuit();
      if (before === 'forced-open') force('forced-open', 5_000);
      force('observe', 5_000);
      const now = circuit().observed;
      await call('fail');
      observed.push([before, now, circuit().observed]);
    }
    assert.deepEqual(observed, [
      ['one failure', 'closed', 'open'],
      ['open', 'open', 'open'],
      ['half-open', 'half-open', 'open'],
      ['forced-open', 'closed', 'closed'],
    ]);
  });

  test('to observe, where it does so anyway, observes on when the force is over', async () => {
    const { call, circuit, clock, force } = setUp({ ...options, observe: true });
    force('observe', 1_000);
    await clock.advance(1_000);
    assert.equal(circuit().state, 'observe');
    await call('fail');
    await call('fail');
    assert.deepEqual([await call('ok'), circuit().observed], ['up', 'open']);
  });

  test('keeps its force over a swap that ends its observing', async () => {
    const { circuit, clock, force, swap } = setUp({ ...options, observe: true });
    force('observe', 1_000);
    swap(options);
    const after = circuit().state;
    await clock.advance(1_000);
    assert.deepEqual([after, circuit().state], ['observe', 'closed']);
  });

  test('forced open, where it observes, observes again from closed', async () => {
    const { call, circuit, clock, force } = setUp({ ...options, observe: true });
    await call('fail');
    force('forced-open', 1_000);
    await clock.advance(1_000);
    await call('fail');
    assert.deepEqual([circuit().state, circuit().observed], ['observe', 'closed']);
  });
});

describe('new rules for a circuit', () => {
  test('leave it open for as long as it was to be, where only its interval is another', async () => {
    const { call, circuit, swap } = setUp(options);
    await call('fail');
    await call('fail');
    swap({ ...options, clearIntervalMs: 50 });
    assert.deepEqual([circuit().state, circuit().retryAfterMs], ['open', 1_000]);
  });

  test('leave its probes the time that they have, where only its open time is another', async () => {
    const { call, circuit, clock, p, swap } = setUp({ ...options, halfOpenMaxMs: 500 });
    await call('fail');
    await call('fail');
    await clock.advance(1_000);
    void p.execute(() => new Promise(() => {}));
    swap({ ...options, halfOpenMaxMs: 500, openMs: 4_000 });
    await clock.advance(499);
    const probing = circuit().state;
    await clock.advance(1);
    assert.deepEqual([probing, circuit().state], ['half-open', 'open']);
  });

  test('may do without the windows of the old, and the old without those of the new', async () => {
    const ratio = { failureRatio: { ratio: 0.5, minimumCalls: 2, windowMs: 1_000 } };
    for (const [before, after] of [
      [{ ...options, ...ratio }, options],
      [options, { ...options, ...ratio }],
      [options, options],
    ] as const) {
      const { call, circuit, swap } = setUp(before);
      await call('ok');
      swap(after);
      await call('fail');
      await call('fail');
      assert.equal(circuit().state, 'open');
    }
  });
});

function setUp(given: CircuitBreakerOptions) {
  const clock = new VirtualClock();
  const registry = createRegistry();
  const { events, listener } = record();
  const p = pipeline('p', [circuitBreaker(given)], { clock, registry, report: listener });
  const fns = { ok: async () => 'up', fail: () => Promise.reject({ code: 'down' }) };
  return {
    p,
    clock,
    call: (what: 'ok' | 'fail') =>
      clock.run(() => p.execute<string>(fns[what]).catch(({ code }) => code)),
    circuit: () => p.inspect().policies[0]!.circuit!,
    force: (as: ForcedState | 'closed', forMs: number) => registry.force('p', as, { forMs }),
    swap: (rules: CircuitBreakerOptions) => p.swap([circuitBreaker(rules)]),
    changes: () =>
      events.flatMap((event) => {
        if (event.type !== 'circuit') return [];
        const { from, to, why, ...rest } = event;
        return [{ from, to, why, ...('error' in rest ? { error: rest.error } : undefined) }];
      }),
  };
}

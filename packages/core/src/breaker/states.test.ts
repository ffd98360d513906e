import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Circuit, Ending, Verdict } from './circuit.ts';
import { type CircuitBreakerOptions, resolveCircuitBreakerOptions } from './options.ts';
import { admit, newCircuit, settle } from './states.ts';

describe('the circuit', () => {
  test('opens at the threshold, refuses while open, closes after a good probe', () => {
    const seen = play({ consecutiveFailures: 2, openMs: 100 }, [
      [0, 'failure'],
      [1, 'failure'],
      [50, 'success'],
      [101, 'success'],
    ]);
    assert.deepEqual(seen, ['closed', 'open', 'refused: open', 'closed']);
  });

  test('counts failures in a row anew after a success', () => {
    const seen = play({ consecutiveFailures: 2 }, [
      [0, 'failure'],
      [1, 'success'],
      [2, 'failure'],
      [3, 'failure'],
    ]);
    assert.deepEqual(seen, ['closed', 'closed', 'closed', 'open']);
  });

  test('does not open by a success that makes the calls of a window enough, but by the next failure', () => {
    const failureRatio = { ratio: 0.5, minimumCalls: 5, windowCalls: 5 };
    const seen = play({ consecutiveFailures: false, failureRatio }, [
      [0, 'failure'],
      [1, 'failure'],
      [2, 'failure'],
      [3, 'success'],
      [4, 'success'],
      [5, 'failure'],
    ]);
    assert.deepEqual(seen, ['closed', 'closed', 'closed', 'closed', 'closed', 'open']);
  });

  test('opens on a ratio of the window, once there are enough calls in it', () => {
    const failureRatio = { ratio: 0.5, minimumCalls: 4, windowMs: 1_000 };
    const seen = play({ consecutiveFailures: false, failureRatio }, [
      [0, 'failure'],
      [10, 'failure'],
      [20, 'success'],
      [1_500, 'success'],
      [1_510, 'success'],
      [1_520, 'success'],
      [1_530, 'failure'],
      [1_540, 'failure'],
      [1_550, 'failure'],
    ]);
    assert.deepEqual(seen, [...Array(8).fill('closed'), 'open']);
  });

  test('asks its trip rule on failures only, with the counts of the generation', () => {
    const asked: number[][] = [];
    const trip = ({ requests, totalFailures }: { requests: number; totalFailures: number }) => {
      asked.push([requests, totalFailures]);
      return requests > 4;
    };
    const seen = play({ trip }, [
      [0, 'failure'],
      [1, 'success'],
      [2, 'success'],
      [3, 'success'],
      [4, 'success'],
      [5, 'failure'],
    ]);
    assert.deepEqual(seen.at(-1), 'open');
    assert.deepEqual(asked, [
      [1, 1],
      [6, 2],
    ]);
  });

  test('stays closed when its trip rule throws', () => {
    const trip = () => {
      throw new Error('undeclared reference');
    };
    assert.deepEqual(play({ trip }, Array(9).fill([0, 'failure'])), Array(9).fill('closed'));
  });

  test('forgets its counts every clearIntervalMs while closed, and ignores calls from before', () => {
    const rules = resolveCircuitBreakerOptions({ consecutiveFailures: 2, clearIntervalMs: 100 });
    const circuit = newCircuit(0, rules);
    admit(circuit, 0, rules);
    settle(circuit, 0, ended('failure'), 10, rules);
    admit(circuit, 20, rules);
    const before = circuit.generation;
    settle(circuit, before, ended('failure'), 130, rules);
    assert.deepEqual(
      [circuit.kind, circuit.generation, circuit.counts.totalFailures],
      ['closed', 1, 0],
    );
    assert.equal(circuit.untilMs, 230);
  });

  test('is not closed by a success from before it opened', () => {
    const rules = resolveCircuitBreakerOptions({ consecutiveFailures: 1, openMs: 100 });
    const circuit = newCircuit(0, rules);
    admit(circuit, 0, rules);
    admit(circuit, 0, rules);
    settle(circuit, 0, ended('failure'), 1, rules);
    assert.equal(admit(circuit, 101, rules), 'yes');
    settle(circuit, 0, ended('success'), 102, rules);
    assert.equal(circuit.kind, 'half-open');
  });

  test('gives a probe that says nothing its permit back', () => {
    const seen = play({ consecutiveFailures: 1, openMs: 100 }, [
      [0, 'failure'],
      [100, 'unknown'],
      [101, 'unknown'],
      [102, 'success'],
    ]);
    assert.deepEqual(seen, ['open', 'half-open', 'half-open', 'closed']);
  });

  test('wants as many successes in a row as it was told, and admits no more probes than that', () => {
    const rules = resolveCircuitBreakerOptions({
      consecutiveFailures: 1,
      openMs: 100,
      halfOpenPermits: 3,
    });
    const circuit = opened(rules);
    const admissions = [1, 2, 3, 4].map(() => admit(circuit, 200, rules));
    assert.deepEqual(admissions, ['yes', 'yes', 'yes', 'busy']);
    settle(circuit, circuit.generation, ended('success'), 201, rules);
    assert.equal(admit(circuit, 202, rules), 'busy', 'a slot is not used twice, as in gobreaker');
    settle(circuit, circuit.generation, ended('success'), 203, rules);
    assert.equal(circuit.kind, 'half-open');
    settle(circuit, circuit.generation, ended('success'), 204, rules);
    assert.equal(circuit.kind, 'closed');
  });

  test('opens again when its probes do not answer, and is not stuck', () => {
    const rules = resolveCircuitBreakerOptions({
      consecutiveFailures: 1,
      openMs: 100,
      halfOpenMaxMs: 1_000,
    });
    const circuit = opened(rules);
    assert.equal(admit(circuit, 200, rules), 'yes');
    const hung = circuit.generation;
    const later = [1_199, 1_200, 1_299, 1_300].map((nowMs) => admit(circuit, nowMs, rules));
    assert.deepEqual(later, ['busy', 'open', 'open', 'yes']);
    settle(circuit, hung, ended('success'), 1_301, rules);
    assert.equal(circuit.kind, 'half-open', 'the hung probe answers a circuit that has moved on');
    assert.deepEqual(circuit.news?.at(-2)?.why, 'no probe answered within 1000 ms');
  });

  test('opens on a ratio of its last calls, however long ago they were', () => {
    const failureRatio = { ratio: 0.5, minimumCalls: 4, windowCalls: 4 };
    const seen = play({ consecutiveFailures: false, failureRatio }, [
      [0, 'failure'],
      [1, 'failure'],
      [2, 'success'],
      [3, 'success'],
      [4, 'success'],
      [5, 'success'],
      [90_000, 'failure'],
      [180_000, 'unknown'],
      [270_000, 'failure'],
    ]);
    assert.deepEqual(seen, [...Array(8).fill('closed'), 'open']);
  });

  test('opens when too many calls are slow, though they all succeed', () => {
    const slowCalls = { slowCallMs: 100, ratio: 0.5, minimumCalls: 3, windowCalls: 4 };
    const rules = resolveCircuitBreakerOptions({ slowCalls });
    const circuit = newCircuit(0, rules);
    for (const slow of [true, false, false, false, true, true]) {
      assert.equal(admit(circuit, 0, rules), 'yes');
      settle(circuit, circuit.generation, { ...ended('success'), slow }, 0, rules);
    }
    assert.deepEqual(
      [circuit.kind, circuit.why, circuit.error],
      ['open', '2 of the last 4 calls took 100 ms or longer', undefined],
    );
  });

  test('is opened again by a slow probe', () => {
    const slowCalls = { slowCallMs: 100, ratio: 1, minimumCalls: 3, windowMs: 1_000 };
    const rules = resolveCircuitBreakerOptions({ consecutiveFailures: 1, openMs: 100, slowCalls });
    const circuit = opened(rules);
    admit(circuit, 100, rules);
    settle(circuit, circuit.generation, { ...ended('success'), slow: true }, 200, rules);
    assert.deepEqual([circuit.kind, circuit.why], ['open', 'a probe took 100 ms or longer']);
  });

  test('stays open longer each time, remembers that over a close, and forgets it once it is well', () => {
    const rules = resolveCircuitBreakerOptions({
      consecutiveFailures: 1,
      openMs: 100,
      openFactor: 2,
      openMaxMs: 350,
      openResetMs: 1_000,
    });
    const circuit = newCircuit(0, rules);
    const openFor: number[] = [];
    let nowMs = 0;
    const fail = () => {
      assert.equal(admit(circuit, nowMs, rules), 'yes');
      settle(circuit, circuit.generation, ended('failure'), nowMs, rules);
      openFor.push(circuit.untilMs - nowMs);
      nowMs = circuit.untilMs;
    };
    const succeed = () => {
      assert.equal(admit(circuit, nowMs, rules), 'yes');
      settle(circuit, circuit.generation, ended('success'), nowMs, rules);
      assert.equal(circuit.kind, 'closed');
    };
    fail();
    fail();
    fail();
    succeed();
    nowMs += 999;
    fail();
    succeed();
    nowMs += 1_000;
    fail();
    assert.deepEqual(openFor, [100, 200, 350, 350, 100]);
  });
});

/** Plays calls that end at once; says the state after each, or how it was refused. */
function play(options: CircuitBreakerOptions, calls: ReadonlyArray<readonly [number, Verdict]>) {
  const rules = resolveCircuitBreakerOptions(options);
  const circuit = newCircuit(0, rules);
  return calls.map(([nowMs, verdict]) => {
    const admission = admit(circuit, nowMs, rules);
    if (admission !== 'yes') return `refused: ${admission}`;
    settle(circuit, circuit.generation, ended(verdict), nowMs, rules);
    return circuit.kind;
  });
}

function opened(rules: ReturnType<typeof resolveCircuitBreakerOptions>): Circuit {
  const circuit = newCircuit(0, rules);
  admit(circuit, 0, rules);
  settle(circuit, 0, ended('failure'), 0, rules);
  assert.equal(circuit.kind, 'open');
  return circuit;
}

const ended = (verdict: Verdict): Ending => ({ verdict, slow: false, error: undefined, hintMs: 0 });

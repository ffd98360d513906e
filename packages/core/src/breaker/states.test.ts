import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { type CircuitBreakerOptions, resolveCircuitBreakerOptions } from './options.ts';
import { admit, type Circuit, countsOf, newCircuit, settle, type Verdict } from './states.ts';

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
    settle(circuit, 0, 'failure', 10, rules);
    admit(circuit, 20, rules);
    const before = circuit.generation;
    settle(circuit, before, 'failure', 130, rules);
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
    settle(circuit, 0, 'failure', 1, rules);
    assert.equal(admit(circuit, 101, rules), 'yes');
    settle(circuit, 0, 'success', 102, rules);
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
    settle(circuit, circuit.generation, 'success', 201, rules);
    assert.equal(admit(circuit, 202, rules), 'busy', 'a slot is not used twice, as in gobreaker');
    settle(circuit, circuit.generation, 'success', 203, rules);
    assert.equal(circuit.kind, 'half-open');
    settle(circuit, circuit.generation, 'success', 204, rules);
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
    settle(circuit, hung, 'success', 1_301, rules);
    assert.equal(circuit.kind, 'half-open', 'the hung probe answers a circuit that has moved on');
    assert.deepEqual(circuit.news?.at(-2)?.why, 'no probe answered within 1000 ms');
  });

  test('does as a slow, obvious model does, whatever is played to it', () => {
    const step = fc.record({
      afterMs: fc.integer({ min: 0, max: 60 }),
      // A call that ends at once, one that begins, or the end of one that had begun.
      what: fc.constantFrom('call', 'begin', 'end'),
      verdict: fc.constantFrom<Verdict>('success', 'failure', 'failure', 'unknown'),
      pick: fc.nat(5),
    });
    const options = fc.record({
      consecutiveFailures: fc.integer({ min: 1, max: 3 }),
      openMs: fc.integer({ min: 20, max: 100 }),
      halfOpenPermits: fc.integer({ min: 1, max: 3 }),
      successThreshold: fc.integer({ min: 1, max: 4 }),
      halfOpenMaxMs: fc.integer({ min: 50, max: 150 }),
      clearIntervalMs: fc.constantFrom(0, 0, 90),
    });
    fc.assert(
      fc.property(options, fc.array(step, { maxLength: 80 }), (given, steps) => {
        const rules = resolveCircuitBreakerOptions(given);
        const circuit = newCircuit(0, rules);
        const model = new ModelCircuit(given);
        const begun: Array<{ generation: number; modelCall: ModelCall }> = [];
        let nowMs = 0;
        for (const { afterMs, what, verdict, pick } of steps) {
          nowMs += afterMs;
          if (what !== 'end') {
            const admission = admit(circuit, nowMs, rules);
            const modelCall = model.begin(nowMs);
            assert.equal(admission === 'yes', modelCall !== undefined, `admission at ${nowMs}`);
            if (modelCall === undefined) continue;
            begun.push({ generation: circuit.generation, modelCall });
            if (what === 'begin') continue;
          }
          const [ended] = begun.splice(what === 'call' ? -1 : pick % Math.max(1, begun.length), 1);
          if (ended === undefined) continue;
          settle(circuit, ended.generation, verdict, nowMs, rules);
          model.end(ended.modelCall, verdict, nowMs);
          assert.equal(circuit.kind, model.kind, `state at ${nowMs}`);
          if (circuit.kind === 'closed') {
            assert.equal(countsOf(circuit).consecutiveFailures, model.failuresInARow());
          }
        }
      }),
      { numRuns: 400 },
    );
  });
});

/** Plays calls that end at once; says the state after each, or how it was refused. */
function play(options: CircuitBreakerOptions, calls: ReadonlyArray<readonly [number, Verdict]>) {
  const rules = resolveCircuitBreakerOptions(options);
  const circuit = newCircuit(0, rules);
  return calls.map(([nowMs, verdict]) => {
    const admission = admit(circuit, nowMs, rules);
    if (admission !== 'yes') return `refused: ${admission}`;
    settle(circuit, circuit.generation, verdict, nowMs, rules);
    return circuit.kind;
  });
}

function opened(rules: ReturnType<typeof resolveCircuitBreakerOptions>): Circuit {
  const circuit = newCircuit(0, rules);
  admit(circuit, 0, rules);
  settle(circuit, 0, 'failure', 0, rules);
  assert.equal(circuit.kind, 'open');
  return circuit;
}

interface ModelCall {
  readonly era: object;
  verdict?: Verdict;
}

/** The circuit as one would explain it: a list of what happened since the last change. */
class ModelCircuit {
  readonly options: {
    readonly consecutiveFailures: number;
    readonly openMs: number;
    readonly halfOpenPermits: number;
    readonly successThreshold: number;
    readonly halfOpenMaxMs: number;
    readonly clearIntervalMs: number;
  };
  kind: 'closed' | 'open' | 'half-open' = 'closed';
  era = {};
  sinceMs = 0;
  progressMs = 0;
  calls: ModelCall[] = [];
  ended: Verdict[] = [];

  constructor(options: ModelCircuit['options']) {
    this.options = options;
  }

  begin(nowMs: number): ModelCall | undefined {
    this.look(nowMs);
    if (this.kind === 'open') return undefined;
    if (this.kind === 'half-open' && !this.mayProbe()) return undefined;
    const call = { era: this.era };
    this.calls.push(call);
    this.progressMs = nowMs;
    return call;
  }

  end(call: ModelCall, verdict: Verdict, nowMs: number): void {
    this.look(nowMs);
    if (call.era !== this.era) return;
    call.verdict = verdict;
    this.progressMs = nowMs;
    if (verdict !== 'unknown') this.ended.push(verdict);
    if (this.kind === 'closed' && this.failuresInARow() >= this.options.consecutiveFailures) {
      this.become('open', nowMs);
    } else if (this.kind === 'half-open' && verdict === 'failure') {
      this.become('open', nowMs);
    } else if (this.kind === 'half-open' && this.ended.length >= this.options.successThreshold) {
      this.become('closed', nowMs);
    }
  }

  failuresInARow(): number {
    return this.ended.length - 1 - this.ended.lastIndexOf('success');
  }

  mayProbe(): boolean {
    const running = this.calls.filter(({ verdict }) => verdict === undefined).length;
    const { halfOpenPermits, successThreshold } = this.options;
    const wanted = Math.max(halfOpenPermits, successThreshold);
    return running < halfOpenPermits && running + this.ended.length < wanted;
  }

  look(nowMs: number): void {
    const { openMs, halfOpenMaxMs, clearIntervalMs } = this.options;
    if (this.kind === 'closed' && clearIntervalMs > 0 && nowMs >= this.sinceMs + clearIntervalMs) {
      this.become('closed', nowMs);
    }
    const gaveUpMs = this.progressMs + halfOpenMaxMs;
    if (this.kind === 'half-open' && nowMs >= gaveUpMs && !this.mayProbe()) {
      this.become('open', gaveUpMs);
    }
    if (this.kind === 'open' && nowMs >= this.sinceMs + openMs) this.become('half-open', nowMs);
  }

  become(kind: ModelCircuit['kind'], atMs: number): void {
    this.kind = kind;
    this.era = {};
    this.sinceMs = atMs;
    this.progressMs = atMs;
    this.calls = [];
    this.ended = [];
  }
}

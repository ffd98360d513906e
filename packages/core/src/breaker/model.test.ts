import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { CallRatio } from './call-ratio.ts';
import type { Ending, Verdict } from './circuit.ts';
import { resolveCircuitBreakerOptions } from './options.ts';
import { admit, newCircuit, settle } from './states.ts';

const SLOW_MS = 40;

test('a circuit does as a slow, obvious model does, whatever its rules and whatever is played to it', () => {
  const step = fc.record({
    afterMs: fc.integer({ min: 0, max: 60 }),
    // A call that ends at once, one that begins, or the end of one that had begun.
    what: fc.constantFrom('call', 'begin', 'end'),
    verdict: fc.constantFrom<Verdict>('success', 'success', 'failure', 'failure', 'unknown'),
    slow: fc.boolean(),
    hintMs: fc.constantFrom(0, 0, 0, 90, 1_000),
    pick: fc.nat(5),
  });
  let opened = 0;
  fc.assert(
    fc.property(
      anyRules(),
      fc.array(step, { minLength: 30, maxLength: 120, size: 'max' }),
      (given, steps) => {
        const rules = resolveCircuitBreakerOptions(given as never);
        const circuit = newCircuit(0, rules);
        const model = new ModelCircuit(given);
        const begun: Array<{ generation: number; modelCall: ModelCall }> = [];
        let nowMs = 0;
        for (const { afterMs, what, verdict, slow, hintMs, pick } of steps) {
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
          const ending = { verdict, slow: slow && given.slowCalls !== undefined, error: 1, hintMs };
          settle(circuit, ended.generation, ending, nowMs, rules);
          model.end(ended.modelCall, ending, nowMs);
          assert.deepEqual(
            [circuit.kind, circuit.untilMs - nowMs],
            model.state(nowMs),
            `at ${nowMs}`,
          );
        }
        opened += circuit.opened;
      },
    ),
    { numRuns: 1_500 },
  );
  assert.ok(opened > 1_500, `the model is tried where circuits open: ${opened}`);
});

interface ModelRules {
  readonly consecutiveFailures: number | false;
  readonly failureRatio?: CallRatio | undefined;
  readonly slowCalls?: (CallRatio & { readonly slowCallMs: number }) | undefined;
  readonly openMs: number;
  readonly openFactor: number;
  readonly openMaxMs: number;
  readonly openResetMs: number;
  readonly halfOpenPermits: number;
  readonly successThreshold: number;
  readonly halfOpenMaxMs: number;
  readonly clearIntervalMs: number;
}

function anyRules(): fc.Arbitrary<ModelRules> {
  const basis = {
    ratio: fc.constantFrom(0.3, 0.5, 1),
    minimumCalls: fc.integer({ min: 1, max: 4 }),
  };
  const ratio = fc.oneof(
    fc.record({ ...basis, windowMs: fc.constantFrom(100, 300) }),
    fc.record({ ...basis, windowCalls: fc.integer({ min: 4, max: 8 }) }),
  ) as fc.Arbitrary<CallRatio>;
  return fc.record({
    consecutiveFailures: fc.oneof(fc.integer({ min: 1, max: 4 }), fc.constant(9)),
    failureRatio: fc.option(ratio, { nil: undefined }),
    slowCalls: fc.option(
      ratio.map((rule) => ({ ...rule, slowCallMs: SLOW_MS })),
      { nil: undefined },
    ),
    openMs: fc.integer({ min: 20, max: 100 }),
    openFactor: fc.constantFrom(1, 2),
    openMaxMs: fc.constantFrom(100, 300),
    openResetMs: fc.constantFrom(0, 150, 10_000),
    halfOpenPermits: fc.integer({ min: 1, max: 3 }),
    successThreshold: fc.integer({ min: 1, max: 4 }),
    halfOpenMaxMs: fc.integer({ min: 50, max: 150 }),
    clearIntervalMs: fc.constantFrom(0, 0, 90),
  });
}

interface ModelCall {
  readonly era: object;
  ended?: boolean;
}

interface Ended extends Ending {
  readonly atMs: number;
}

/** The circuit as one would explain it: lists of what happened, counted anew each time. */
class ModelCircuit {
  readonly rules: ModelRules;
  kind: 'closed' | 'open' | 'half-open' = 'closed';
  /** What a generation is: everything since the last change or clearing. */
  era = {};
  sinceMs = 0;
  progressMs = 0;
  openForMs = 0;
  closedMs = 0;
  /** Openings since it was last well. */
  openings = 0;
  calls: ModelCall[] = [];
  ended: Ended[] = [];
  /** Calls for the ratio rules: those since it last closed, which a clearing does not forget. */
  recent: Ended[] = [];

  constructor(rules: ModelRules) {
    this.rules = rules;
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

  end(call: ModelCall, ending: Ending, nowMs: number): void {
    this.look(nowMs);
    if (call.era !== this.era) return;
    call.ended = true;
    this.progressMs = nowMs;
    const { hintMs, slow, verdict } = ending;
    if (verdict === 'unknown') return;
    this.ended.push({ ...ending, atMs: nowMs });
    if (this.kind === 'half-open') {
      const good = this.ended.length >= this.rules.successThreshold;
      if (verdict === 'failure') this.open(nowMs, hintMs);
      else if (slow) this.open(nowMs, 0);
      else if (good) this.close(nowMs);
      return;
    }
    this.recent.push({ ...ending, atMs: nowMs });
    const { failureRatio, slowCalls, consecutiveFailures } = this.rules;
    const failed = verdict === 'failure' && this.failuresInARow() >= Number(consecutiveFailures);
    const tooMany =
      verdict === 'failure' && this.holds(failureRatio, (one) => one.verdict === 'failure', nowMs);
    const tooSlow = slow && this.holds(slowCalls, (one) => one.slow, nowMs);
    if (failed || tooMany || tooSlow) this.open(nowMs, hintMs);
  }

  state(nowMs: number): [string, number] {
    switch (this.kind) {
      case 'open':
        return ['open', this.sinceMs + this.openForMs - nowMs];
      case 'half-open':
        return ['half-open', this.progressMs + this.rules.halfOpenMaxMs - nowMs];
      case 'closed': {
        const { clearIntervalMs } = this.rules;
        return [
          'closed',
          clearIntervalMs === 0 ? Infinity : this.sinceMs + clearIntervalMs - nowMs,
        ];
      }
    }
  }

  holds(rule: CallRatio | undefined, isBad: (one: Ended) => boolean, nowMs: number): boolean {
    if (rule === undefined) return false;
    const { minimumCalls, ratio, windowCalls, windowMs } = rule;
    const bucket = (ms: number) => Math.floor(ms / (windowMs! / 10));
    const seen =
      windowCalls === undefined
        ? this.recent.filter(({ atMs }) => bucket(atMs) > bucket(nowMs) - 10)
        : this.recent.slice(-windowCalls);
    return seen.length >= minimumCalls && seen.filter(isBad).length >= ratio * seen.length;
  }

  failuresInARow(): number {
    const verdicts = this.ended.map(({ verdict }) => verdict);
    return verdicts.length - 1 - verdicts.lastIndexOf('success');
  }

  mayProbe(): boolean {
    const running = this.calls.filter(({ ended }) => ended !== true).length;
    const { halfOpenPermits, successThreshold } = this.rules;
    const wanted = Math.max(halfOpenPermits, successThreshold);
    return running < halfOpenPermits && running + this.ended.length < wanted;
  }

  look(nowMs: number): void {
    const { halfOpenMaxMs, clearIntervalMs } = this.rules;
    if (this.kind === 'closed' && clearIntervalMs > 0 && nowMs >= this.sinceMs + clearIntervalMs) {
      this.become('closed', nowMs);
    }
    const gaveUpMs = this.progressMs + halfOpenMaxMs;
    if (this.kind === 'half-open' && nowMs >= gaveUpMs && !this.mayProbe()) this.open(gaveUpMs, 0);
    if (this.kind === 'open' && nowMs >= this.sinceMs + this.openForMs) {
      this.become('half-open', nowMs);
    }
  }

  open(atMs: number, hintMs: number): void {
    const { openFactor, openMaxMs, openMs, openResetMs } = this.rules;
    if (this.kind === 'closed' && atMs >= this.closedMs + openResetMs) this.openings = 0;
    let ms = openMs;
    for (let i = 0; i < this.openings; i += 1) ms = Math.min(ms * openFactor, openMaxMs);
    this.openForMs = Math.max(ms, Math.min(hintMs, openMaxMs));
    this.openings += 1;
    this.become('open', atMs);
  }

  close(atMs: number): void {
    this.closedMs = atMs;
    this.recent = [];
    this.become('closed', atMs);
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

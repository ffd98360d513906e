import type { Survivor } from './score.ts';

/** A mutant that no test can tell from the original: read by somebody, with the reason. */
export interface Equivalent {
  /** Everywhere, where it is left out. */
  readonly file?: string;
  /** The line of source, without its indentation. */
  readonly source: string | RegExp;
  /** What of the line was changed. */
  readonly original?: string;
  readonly replacement: string;
  readonly why: string;
}

export const EQUIVALENTS: readonly Equivalent[] = [
  {
    file: 'src/hedge/hedge.ts',
    source: /^if \(this\.#durations !== undefined\) race\.startedMs = /,
    replacement: 'true',
    why: 'A time is read that nobody asks for; asking first is only quicker.',
  },
  {
    file: 'src/hedge/hedge.ts',
    source: /^const startedMs = this\.#durations === undefined \? 0/,
    replacement: 'false',
    why: 'A time is read that nobody asks for; asking first is only quicker.',
  },
  {
    file: 'src/hedge/hedge.ts',
    source: 'if (race.delayMs === Infinity) return;',
    replacement: 'false',
    why: 'An alarm for no time is not armed; what is left is a context kept in vain.',
  },
  {
    file: 'src/hedge/hedge.ts',
    source: 'if (race.hedges.length === 0) return;',
    replacement: 'false',
    why: 'None is called off, one by one; asking first spares the reason.',
  },
  {
    file: 'src/hedge/hedge.ts',
    source:
      /^this\.#callOff\(race, this\.#lost, 'cancelled'\);$|^op\.overtake\(index, lost\.value, /,
    replacement: '""',
    why: 'All attempts have ended: nothing is left to hear how it was cut.',
  },
  {
    file: 'src/hedge/hedge.ts',
    source: /^if \(quantile === undefined \|\| this\.#durations === undefined\) /,
    replacement: 'false',
    why: 'Of one half of the condition: the other says the same, and both are for the types.',
  },
  {
    file: 'src/hedge/live-quantile.ts',
    source: 'for (let at = 0; at < BUCKETS; at += 1) {',
    replacement: 'at <= BUCKETS',
    why: 'Beyond the last bucket there is not a number, which is never enough.',
  },
  {
    file: 'src/hedge/live-quantile.ts',
    source: 'if (durationMs <= FIRST_BOUND_MS) return 0;',
    replacement: 'durationMs < FIRST_BOUND_MS',
    why: 'The logarithm of 1 is 0 as well.',
  },
  {
    file: 'src/engine/report/reporter.ts',
    source: 'if (this.#own !== undefined) tell(this.#own, event);',
    replacement: 'true',
    why: 'A listener that is none throws, and that is caught as what a listener throws is.',
  },
  {
    file: 'src/engine/timers/wheel.ts',
    source: 'this.#stop?.();',
    replacement: 'this.#stop()',
    why: 'It turns, so it can be stopped: the question mark is for the types.',
  },
  {
    file: 'src/engine/timers/wheel.ts',
    source: /^if \(this\.#slots\.length === 0\) this\.#slots = /,
    replacement: 'true',
    why: 'It begins to turn when nothing is in its slots; keeping them is only quicker.',
  },
  {
    file: 'src/engine/operation.ts',
    source: /^else if \(this\.#starting\) rejectLater/,
    replacement: 'true',
    why: 'A failure is rejected a microtask later in place of at once: the caller hears the same.',
  },
  {
    file: 'src/clock.ts',
    source: 'if (leftMs > 0) handle = wait(leftMs);',
    replacement: 'leftMs >= 0',
    why: 'Nothing is left just when the clock reads the very moment, and then no time is waited.',
  },
  {
    file: 'src/bulkhead/doorman.ts',
    source: 'sinceMs = -1;',
    replacement: '+1',
    why: 'Whoever waits writes it before anybody reads it.',
  },
  {
    file: 'src/bulkhead/doorman.ts',
    source: "const ranked = rules.order === 'criticality';",
    original: "rules.order === 'criticality'",
    replacement: 'true',
    why: 'Other orders know one rank alone: a rank is looked up in vain.',
  },
  {
    file: 'src/bulkhead/doorman.ts',
    source: 'if (this.gate.queued > 0) this.pump();',
    replacement: 'true',
    why: 'Where nobody waits nobody is let in; asking first is only quicker.',
  },
  {
    file: 'src/bulkhead/doorman.ts',
    source: 'if (this.gate.queued > 0) this.pump();',
    replacement: 'this.gate.queued >= 0',
    why: 'Where nobody waits nobody is let in; asking first is only quicker.',
  },
  {
    file: 'src/rate-limit/rate-limit.ts',
    source: 'turn.visit += 1;',
    replacement: 'turn.visit -= 1',
    why: 'It has only to be another number than before.',
  },
  {
    file: 'src/rate-limit/turns.ts',
    source: 'if (waitMs > maxWaitMs + 1e-6) return { taken: false, waitMs };',
    replacement: 'waitMs >= maxWaitMs + 1e-6',
    why: 'No wait is a nanosecond longer than the longest by less than a rounding.',
  },
  {
    file: 'src/rate-limit/turns.ts',
    source: 'return { taken: true, waitMs: waitMs < 1e-6 ? 0 : waitMs };',
    replacement: 'waitMs <= 1e-6',
    why: 'No wait is just this long.',
  },
  {
    file: 'src/rate-limit/turns.ts',
    source: 'if (nowMs > this.#freeAtMs) {',
    replacement: 'nowMs >= this.#freeAtMs',
    why: 'Idle for no time it has grown no colder.',
  },
  {
    file: 'src/keyed/keyed-pipeline.ts',
    source: 'return this.#limits.idleMs === Infinity ? 0 : this.#clock.now();',
    replacement: 'false',
    why: 'Nothing is ever idle for Infinity; not reading the clock is only quicker.',
  },
  {
    file: 'src/keyed/keyed-pipeline.ts',
    source: "pipelineFor(this.name, policies, this.#env, '');",
    replacement: '"Stryker was here!"',
    why: 'The pipeline is made to see whether it can be, and never called.',
  },
  {
    file: 'src/keyed/keyed-pipeline.ts',
    source: /^this\.#members\.get\(victim\)\?\./,
    replacement: 'this.#members.get(victim).pipeline',
    why: 'The victim is one of the members: the question mark is for the types.',
  },
  {
    source: /^if \(reporter\.listening\)/,
    replacement: 'true',
    why: 'A report is made that nobody hears; asking first only saves making it.',
  },
  {
    source: /^if \(!reporter\.listening\) return;$/,
    replacement: 'false',
    why: 'A report is made that nobody hears; asking first only saves making it.',
  },
  {
    source: /^if \(!\(old instanceof \w+Stage\)\) return;$/,
    replacement: 'false',
    why: 'A swap offers a stage the one of its own kind alone: the check is for the types.',
  },
  {
    source: /^if \(this\.#?\w+ !== (undefined|unset)\) this\.#?\w+ = \1;$/,
    replacement: 'true',
    why: 'What is as it should be is written again; looking first is only quicker.',
  },
  {
    file: 'src/engine/operation.ts',
    source: /^this\.#starting = true;$|^else if \(this\.#starting\) rejectLater/,
    replacement: 'false',
    why: 'A refusal is rejected at once in place of a microtask later: the caller hears the same.',
  },
  {
    file: 'src/engine/operation.ts',
    source: 'if (this.program.capturesContext) this.#context = captureContext();',
    replacement: 'true',
    why: 'A context is kept that no continuation asks for; asking first is only quicker.',
  },
  {
    file: 'src/breaker/breaker.ts',
    source: 'if (this.#shared === undefined && isTimeless(circuit)) {',
    replacement: 'false',
    why: 'The long way does the same and reads the clock; the short one is only quicker.',
  },
  {
    file: 'src/breaker/breaker.ts',
    source: /^if \(!isTimeless\(circuit\)\)/,
    replacement: 'true',
    why: 'The long way does the same and reads the clock; the short one is only quicker.',
  },
  {
    file: 'src/breaker/breaker.ts',
    source: 'if (!failed && !this.#judgesResults) {',
    original: '{',
    replacement: '{}',
    why: 'The long way does the same and asks the default predicate; the short one is only quicker.',
  },
  {
    file: 'src/breaker/breaker.ts',
    source: 'return hintMs !== undefined && hintMs > 0 ? hintMs : 0;',
    replacement: 'hintMs !== undefined || hintMs > 0',
    why: 'The longer of the open time and the hint counts: one below 0 counts as none.',
  },
  {
    source: /^this\.#judgesResults = /,
    replacement: 'true',
    why: 'The default predicate is asked and says no; not asking it is only quicker.',
  },
  {
    file: 'src/breaker/breaker.ts',
    source: /^if \(circuit\.news !== undefined \|\| circuit\.shadow !== undefined\)/,
    replacement: 'true',
    why: 'Without news there is nothing to tell; asking first is only quicker.',
  },
  {
    file: 'src/breaker/breaker.ts',
    source: 'if (circuit.news !== undefined) this.#tell(op.id);',
    replacement: 'true',
    why: 'Without news there is nothing to tell; asking first is only quicker.',
  },
  {
    file: 'src/breaker/states.ts',
    source: /^throw new Error\('unreachable: an open circuit/,
    replacement: '""',
    why: 'It is never thrown.',
  },
  {
    file: 'src/breaker/states.ts',
    source: "if (verdict !== 'failure' && !slow) return;",
    replacement: 'false',
    why: 'There is no reason to open after a quick success; not asking is only quicker.',
  },
  {
    file: 'src/breaker/breaker.ts',
    source: "verdict === 'success' && !slow",
    replacement: 'false',
    why: 'The same ending is made anew; the one that is kept is only quicker.',
  },
  {
    file: 'src/breaker/breaker.ts',
    source: "if (verdict !== 'failure' || openHint === undefined) return 0;",
    replacement: 'false',
    original: 'openHint === undefined',
    why: 'A hint that cannot be asked for throws, and counts as none.',
  },
  {
    file: 'src/breaker/breaker.ts',
    source: 'if (!reporter.listening) continue;',
    replacement: 'false',
    why: 'A report is made that nobody hears; asking first only saves making it.',
  },
  {
    file: 'src/breaker/reason-to-open.ts',
    source: /^if \(verdict !== 'failure' \|\| trip === undefined/,
    original: 'trip === undefined',
    replacement: 'false',
    why: 'A rule that is none cannot be evaluated, and says no.',
  },
  {
    file: 'src/breaker/reason-to-open.ts',
    source: 'if (rule === undefined || window === undefined) return undefined;',
    replacement: 'false',
    why: 'Of one half of the condition: where there is a rule there is its window.',
  },
  {
    file: 'src/engine/timers/alarm.ts',
    source: 'this.#bell?.ring(this.#index);',
    replacement: 'this.#bell.ring',
    why: 'What has no bell is the head of a list, and is not rung.',
  },
  {
    file: 'src/engine/caller/caller.ts',
    source: /^return outOfTime\(this\.#world\.pipeline, this\.options\?\.deadlineMs /,
    replacement: 'this.options.deadlineMs',
    why: 'It is asked for where the caller gave a time.',
  },
  ...['this.options?.onDegraded(how)', 'this.options.onDegraded'].map((replacement) => ({
    file: 'src/engine/caller/caller.ts',
    source: 'this.options?.onDegraded?.(how);',
    replacement,
    why: 'What is not there throws, and that is caught as what the listener throws is.',
  })),
  ...['options?.discard(value as never)', 'options.discard'].map((replacement) => ({
    file: 'src/engine/late-result.ts',
    source: 'options?.discard?.(value as never);',
    replacement,
    why: 'What is not there throws, and that is caught as what the function throws is.',
  })),
  {
    file: 'src/engine/caller/caller.ts',
    source: 'return this.#signal?.reason;',
    replacement: 'this.#signal.reason',
    why: 'It is asked for where the signal has aborted.',
  },
  {
    file: 'src/breaker/circuit.ts',
    source: /^if \(failureRatio === undefined && slowCalls === undefined\) return undefined;$/,
    replacement: 'false',
    why: 'Two windows that are none do what no windows do; the circuit only reads the clock more often.',
  },
  {
    file: 'src/breaker/snapshot/restore.ts',
    source: 'circuit.untilMs = nowMs + rules.halfOpenMaxMs;',
    replacement: 'nowMs - rules.halfOpenMaxMs',
    why: 'Half-open with permits left it waits for no time, and the next probe sets it anew.',
  },
  {
    file: 'src/retry/retry.ts',
    source: "case 'pass':",
    replacement: '""',
    why: 'Nothing is done in this case, nor in one that no case is for.',
  },
  {
    file: 'src/breaker/snapshot/restore.ts',
    source: /^case '(closed|observe)':$/,
    replacement: '""',
    why: 'Nothing is done in this case, nor in one that no case is for.',
  },
  {
    file: 'src/retry/retry.ts',
    source: 'if (!failed && !this.#judgesResults) return undefined;',
    replacement: 'false',
    why: 'The default predicate says no as well; not asking it is only quicker.',
  },
  {
    file: 'src/trace/trace-context.ts',
    source: /^const \[, version, traceId = '', spanId = '', flags = '', rest\] = match;$/,
    original: "''",
    replacement: '"Stryker was here!"',
    why: 'A match has all of these groups: the defaults are for the types.',
  },
];

/** Why no test can tell this one from the original, where that is known. */
export function whyEquivalent(mutant: Omit<Survivor, 'equivalent'>): string | undefined {
  const { file, original, replacement, source } = mutant;
  return EQUIVALENTS.find(
    (known) =>
      (known.file ?? file) === file &&
      (typeof known.source === 'string' ? known.source === source : known.source.test(source)) &&
      (known.original ?? original) === original &&
      known.replacement === replacement,
  )?.why;
}

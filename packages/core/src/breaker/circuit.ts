import type { CircuitState } from '../events.ts';
import type { ResolvedCircuitBreakerOptions } from './options.ts';
import type { CircuitCounts } from './snapshot/snapshot.ts';
import { type RatioWindow, windowFor } from './window/ratio-window.ts';

/**
 * The record of a circuit; `states.ts` draws the machine that it is in.
 *
 * It is changed in place, because a new one per call would cost more than the
 * rest of the call; what becomes of it still depends on the arguments alone.
 */
export interface Circuit {
  kind: CircuitState;
  generation: number;
  /** Of this generation. */
  counts: Counts;
  /** Calls of this generation that have not ended. Kept while half-open. */
  probes: number;
  /**
   * When it moves on by itself, at the next look: closed, to a new generation;
   * open, to half-open; half-open, back to open if its probes do not answer;
   * forced, to where it expires.
   */
  untilMs: number;
  /** Since when it has been closed. */
  closedMs: number;
  /** How long it is open this time. */
  openForMs: number;
  /** How often it has opened. */
  opened: number;
  /** How often it has opened since it was last well for `openResetMs`. */
  openings: number;
  /** In [0, 1), for the next open time: drawn in advance, so that the machine itself knows no chance. */
  chance: number;
  /** Why it last changed. */
  why: string;
  /** What it had counted when it opened; kept until it closes. */
  trippedBy: CircuitCounts | undefined;
  /** The failure that last opened it. */
  error: unknown;
  windows: Windows | undefined;
  /** What it would be, while it observes. */
  shadow: Circuit | undefined;
  /** Transitions that nobody has heard of yet. */
  news: Transition[] | undefined;
}

export type Counts = { -readonly [Name in keyof CircuitCounts]: number };

/** What its ratio rules look at. */
export interface Windows {
  readonly failures: RatioWindow | undefined;
  readonly slow: RatioWindow | undefined;
}

export interface Transition {
  readonly from: CircuitState;
  readonly to: CircuitState;
  readonly why: string;
  readonly error?: unknown;
}

/** How a call ended for the circuit; `unknown` says nothing of the dependency: cancelled, ignored, not sent. */
export type Verdict = 'success' | 'failure' | 'unknown';

/** Everything that the end of a call tells. */
export interface Ending {
  readonly verdict: Verdict;
  /** Whether it took `slowCallMs` or longer. */
  readonly slow: boolean;
  readonly error: unknown;
  /** What a failure says about when to come back; 0: nothing. */
  readonly hintMs: number;
}

export const SUCCESS: Ending = { verdict: 'success', slow: false, error: undefined, hintMs: 0 };

export type Rules = ResolvedCircuitBreakerOptions;

/** A circuit that is closed, whatever its rules say about observing. */
export function closedCircuit(nowMs: number, rules: Rules): Circuit {
  return {
    kind: 'closed',
    generation: 0,
    counts: noCounts(),
    probes: 0,
    untilMs: clearAt(nowMs, rules),
    closedMs: nowMs,
    openForMs: 0,
    opened: 0,
    openings: 0,
    chance: 0.5,
    why: '',
    trippedBy: undefined,
    error: undefined,
    windows: newWindows(rules),
    shadow: undefined,
    news: undefined,
  };
}

/**
 * Whether it is closed and no rule looks at the time. It then admits every call
 * and a success is but counted: the stage does both by itself, without reading
 * the clock, which costs as much as a bare `await`.
 */
export const isTimeless = ({ kind, untilMs, windows }: Circuit): boolean =>
  untilMs === Infinity && windows === undefined && kind === 'closed';

export const noCounts = (): Counts => ({
  requests: 0,
  totalSuccesses: 0,
  totalFailures: 0,
  consecutiveSuccesses: 0,
  consecutiveFailures: 0,
});

export function countSuccess(counts: Counts): void {
  counts.totalSuccesses += 1;
  counts.consecutiveSuccesses += 1;
  counts.consecutiveFailures = 0;
}

export function newWindows({ failureRatio, slowCalls }: Rules): Windows | undefined {
  if (failureRatio === undefined && slowCalls === undefined) return undefined;
  return {
    failures: failureRatio === undefined ? undefined : windowFor(failureRatio),
    slow: slowCalls === undefined ? undefined : windowFor(slowCalls),
  };
}

export const clearAt = (nowMs: number, rules: Rules) =>
  rules.clearIntervalMs === 0 ? Infinity : nowMs + rules.clearIntervalMs;

import type { PolicyErrorCode } from './errors.ts';
import type { DegradedKind } from './policy.ts';

/**
 * The states of a circuit; `forced-*` and `disabled` are set by hand, and
 * expire. `observe` is set by hand or by its option: it refuses nothing.
 */
export type CircuitState =
  | 'closed'
  | 'open'
  | 'half-open'
  | 'forced-open'
  | 'forced-closed'
  | 'disabled'
  | 'observe';

/** The states that a circuit comes to by itself. */
export type OwnCircuitState = Extract<CircuitState, 'closed' | 'open' | 'half-open'>;

/** What every event carries. */
interface EventSource {
  /** The pipeline's name. */
  readonly pipeline: string;
  /** Whose pipeline of a keyed one it was. */
  readonly key?: string;
  /** The policy's name; the pipeline's own events carry its name here as well. */
  readonly policy: string;
  /** Joins the events of one call: a number that grows over the process; 0 where there is no call (a forced circuit). */
  readonly call: number;
}

/** How an attempt or a call ended. `refused`: one of our policies said no and nothing was sent. */
export type Outcome = 'success' | 'failure' | 'timeout' | 'refused' | 'cancelled';

/**
 * Everything a pipeline reports, as a closed union: a `switch` over `type`
 * without a default is complete. Durations are milliseconds of `Env.clock`.
 */
export type PolicyEvent =
  /** A call has ended; `attempts` is 0 when it was refused before the first. */
  | (EventSource & {
      readonly type: 'call';
      readonly outcome: Outcome;
      readonly attempts: number;
      readonly durationMs: number;
      readonly degraded: boolean;
      readonly error?: unknown;
    })
  /** The caller's function was called and has ended, or was left behind (`timeout`). */
  | (EventSource & {
      readonly type: 'attempt';
      /** 1 for the first. */
      readonly attempt: number;
      readonly outcome: Outcome;
      readonly durationMs: number;
      readonly error?: unknown;
    })
  /** Attempt `attempt` failed and another follows after `delayMs`. */
  | (EventSource & {
      readonly type: 'retry';
      readonly attempt: number;
      readonly delayMs: number;
      readonly error?: unknown;
    })
  /** A failed call will not be tried again although a retry policy watched it. */
  | (EventSource & {
      readonly type: 'retry-stopped';
      readonly attempts: number;
      readonly why:
        | 'exhausted'
        | 'not-retriable'
        | 'no-time-left'
        | 'refused'
        | 'not-idempotent'
        | 'budget';
      readonly error?: unknown;
    })
  | (EventSource & { readonly type: 'timeout'; readonly limitMs: number; readonly attempt: number })
  /** A function that had been left behind by a time-out has ended after all; nobody saw its result. */
  | (EventSource & {
      readonly type: 'late-result';
      readonly outcome: 'success' | 'failure';
      readonly lateByMs: number;
    })
  | (EventSource & {
      readonly type: 'circuit';
      readonly from: CircuitState;
      readonly to: CircuitState;
      /** In words, with numbers: "5 failures in a row". */
      readonly why: string;
      /** The failure that opened it. */
      readonly error?: unknown;
    })
  /** What a circuit in the state `observe` would have done. */
  | (EventSource & {
      readonly type: 'circuit-observed';
      readonly from: OwnCircuitState;
      readonly to: OwnCircuitState;
      readonly why: string;
      readonly error?: unknown;
    })
  /** A call went on that a policy which only observes would have refused. */
  | (EventSource & { readonly type: 'would-refuse'; readonly code: PolicyErrorCode })
  /** A policy refused the call; `code` is that of the error the caller got. */
  | (EventSource & { readonly type: 'refused'; readonly code: PolicyErrorCode })
  /** A call left the queue of a bulkhead or an adaptive limit, admitted or not. */
  | (EventSource & {
      readonly type: 'queued';
      readonly waitedMs: number;
      readonly admitted: boolean;
      readonly depth: number;
    })
  /** A fallback answered in place of `error`. */
  | (EventSource & {
      readonly type: 'fallback';
      /** Which step of the ladder, from 1. */
      readonly step: number;
      readonly kind: DegradedKind;
      readonly error: unknown;
    })
  /** Attempt `attempt` was sent beside those under way, which had not answered within `afterMs`. */
  | (EventSource & { readonly type: 'hedge'; readonly attempt: number; readonly afterMs: number })
  /** A retry or a hedge was not made, for the budget it shares is used up. */
  | (EventSource & {
      readonly type: 'budget-exhausted';
      readonly budget: string;
      /** Share of the budget that is used: 1 or more. */
      readonly used: number;
    })
  /** What a cache did for a call. `ageMs` is that of the answer it gave. */
  | (EventSource & {
      readonly type: 'cache';
      readonly result: 'hit' | 'miss' | 'joined' | 'stale' | 'stale-if-error';
      readonly ageMs?: number;
    })
  /** An adaptive limit or a throttle has changed its mind about how much the dependency can take. */
  | (EventSource & {
      readonly type: 'limit';
      readonly from: number;
      readonly to: number;
      /** In words, with numbers. */
      readonly why: string;
    })
  /** A fault was put in on purpose. */
  | (EventSource & {
      readonly type: 'fault';
      readonly fault: 'error' | 'latency' | 'hang' | 'result';
      readonly delayMs?: number;
    })
  /** A store shared with other processes did not answer: this process decided alone. */
  | (EventSource & { readonly type: 'store-failed'; readonly error: unknown });

/** Receives events. What it throws is swallowed: a broken listener harms no call. */
export type Listener = (event: PolicyEvent) => void;

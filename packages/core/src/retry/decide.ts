import type { PolicyEvent } from '../events.ts';
import { delayBefore } from './backoff.ts';
import type { ResolvedRetryOptions } from './options.ts';
import { isBeforeSending, isCircuitRefusal, isProgrammingError } from './retriable.ts';

/** What a retry has to judge: how a call came back up to it. */
export interface Comeback {
  readonly value: unknown;
  readonly failed: boolean;
  /** Retries so far. */
  readonly retries: number;
  /** Since the first attempt began; 0 where no option asks for it. */
  readonly elapsedMs: number;
  /** Whether the dependency may have acted on this attempt and must not act twice. */
  readonly mayHaveActed: boolean;
  /** The wait before the retry before; 0 where there was none. */
  readonly previousMs: number;
  /** Time left in which another attempt would have to begin. Asked last: it reads the clock. */
  readonly remainingMs: () => number;
  /** Takes a retry out of the budget, if there is one and it has any left. */
  readonly withinBudget: () => boolean;
}

export type Decision =
  | { readonly kind: 'pass' }
  | { readonly kind: 'again'; readonly delayMs: number }
  | { readonly kind: 'stop'; readonly why: StopReason };

export type StopReason = Extract<PolicyEvent, { type: 'retry-stopped' }>['why'];

const PASS: Decision = { kind: 'pass' };

/** Whether to try again, and when; `drawn` is a chance in [0, 1). */
export function decide(back: Comeback, drawn: number, options: ResolvedRetryOptions): Decision {
  const { value, failed } = back;
  if (failed) {
    if (isCircuitRefusal(value)) return stop('refused');
    if (isProgrammingError(value) || !options.retryIf(value)) return stop('not-retriable');
  } else if (!options.retryIfResult(value)) {
    return PASS;
  }
  if (back.retries >= options.maxRetries) return stop('exhausted');
  if (back.mayHaveActed && !(failed && isBeforeSending(value))) return stop('not-idempotent');

  const ended = failed ? { error: value } : { value };
  const hintMs = options.delayHint(ended);
  const delayMs =
    typeof hintMs === 'number' && hintMs >= 0
      ? Math.min(hintMs, options.maxDelayMs)
      : delayBefore(back.retries, { ...ended, drawn, previousMs: back.previousMs }, options);
  if (back.elapsedMs + delayMs > options.maxElapsedMs) return stop('exhausted');
  if (delayMs >= back.remainingMs()) return stop('no-time-left');
  // Last, for asking spends it.
  return back.withinBudget() ? { kind: 'again', delayMs } : stop('budget');
}

const stop = (why: StopReason): Decision => ({ kind: 'stop', why });

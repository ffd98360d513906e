import type { Forecast, WorstCase } from '../explain/explain.ts';
import type { ResolvedFaultOptions } from './options.ts';

/** What is put in, into how many calls, and how much longer they may take for it. */
export function forecastFault(inner: WorstCase, options: ResolvedFaultOptions): Forecast {
  const { delayMs, forMs, inject, jitterMs, ratio } = options;
  const longestMs = Math.min(forMs, delayMs + jitterMs);
  const what = {
    error: 'makes up an error',
    latency: `waits ${longestMs} ms at most`,
    hang: 'gives no answer',
    result: 'makes up a result',
  }[inject];
  const addedMs = { error: 0, latency: longestMs, hang: forMs, result: 0 }[inject];
  return {
    worstCaseMs: inner.worstCaseMs + addedMs,
    words: `${what} for ${ratio * 100} % of the calls, until ${forMs} ms after it was put in.`,
  };
}

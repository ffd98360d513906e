import type { Forecast, WorstCase } from '../explain/explain.ts';
import type { ResolvedCacheOptions } from './options.ts';

/** A cache refuses nothing; a call that finds nothing takes as long as the store and what is inside. */
export function forecastCache(inner: WorstCase, options: ResolvedCacheOptions): Forecast {
  const { errorTtlMs, staleIfErrorMs, staleMs, store, storeTimeoutMs, ttlMs } = options;
  const words = [`gives answers again for ${ttlMs} ms`];
  if (staleMs > 0) words.push(`for ${staleMs} ms more while it renews them`);
  if (staleIfErrorMs > 0) words.push(`for ${staleIfErrorMs} ms more where the call fails`);
  if (errorTtlMs > 0) words.push(`gives errors again for ${errorTtlMs} ms`);
  const storeMs = store === undefined ? 0 : storeTimeoutMs;
  return {
    worstCaseMs: inner.worstCaseMs + storeMs,
    words: `${words.join(', ')}; calls with one key wait for one answer.`,
  };
}

import type { Forecast, WorstCase } from '../explain/explain.ts';
import type { ResolvedBulkheadOptions } from './options.ts';

/** The wait for a place comes on top of what is inside. */
export function forecastBulkhead(inner: WorstCase, options: ResolvedBulkheadOptions): Forecast {
  const { limit, queueLimit, queueTimeoutMs } = options;
  const code = 'BULKHEAD_FULL';
  const full = `while ${limit} calls are running`;
  const words = `runs ${limit} calls at a time`;
  if (queueLimit === 0) {
    return { refusals: [{ code, when: full }], words: `${words} and refuses others.` };
  }
  const refusals: Forecast['refusals'] = [{ code, when: `${full} and ${queueLimit} wait` }];
  return {
    worstCaseMs: inner.worstCaseMs + queueTimeoutMs,
    refusals:
      queueTimeoutMs === Infinity
        ? refusals
        : [
            ...refusals,
            { code: 'QUEUE_TIMED_OUT', when: `after ${queueTimeoutMs} ms in the queue` },
          ],
    words: `${words}, lets ${queueLimit} more wait up to ${queueTimeoutMs} ms, and refuses others.`,
  };
}

import type { Forecast, Refusal } from '../explain/explain.ts';
import type { ResolvedBulkheadOptions } from './options.ts';

/** The wait for a place comes on top of what is inside. */
export function forecastBulkhead(inner: Forecast, options: ResolvedBulkheadOptions): Forecast {
  const { name, limit, queueLimit, queueTimeoutMs } = options;
  const queues = queueLimit > 0;
  const full: Refusal = {
    policy: name,
    code: 'BULKHEAD_FULL',
    when: `while ${limit} calls are running${queues ? ` and ${queueLimit} wait` : ''}`,
  };
  const timedOut: Refusal = {
    policy: name,
    code: 'QUEUE_TIMED_OUT',
    when: `after ${queueTimeoutMs} ms in the queue`,
  };
  const own = queues && queueTimeoutMs !== Infinity ? [full, timedOut] : [full];
  const waiting = queues ? `, lets ${queueLimit} more wait up to ${queueTimeoutMs} ms,` : '';
  return {
    ...inner,
    worstCaseMs: inner.worstCaseMs + (queues ? queueTimeoutMs : 0),
    refusals: [...own, ...inner.refusals],
    words: [
      `"${name}" runs ${limit} calls at a time${waiting} and refuses others.`,
      ...inner.words,
    ],
  };
}

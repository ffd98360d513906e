import type { Forecast, Refusal } from '../explain/explain.ts';
import type { ResolvedCircuitBreakerOptions } from './options.ts';

/** A circuit takes no time of its own; it may refuse. */
export function forecastBreaker(inner: Forecast, rules: ResolvedCircuitBreakerOptions): Forecast {
  const { name, openMs, halfOpenPermits } = rules;
  const own: readonly Refusal[] = [
    { policy: name, code: 'CIRCUIT_OPEN', when: `for ${openMs} ms after ${trips(rules)}` },
    {
      policy: name,
      code: 'CIRCUIT_BUSY',
      when: `after that, while ${halfOpenPermits} probe${halfOpenPermits === 1 ? ' is' : 's are'} running`,
    },
  ];
  return {
    ...inner,
    refusals: [...own, ...inner.refusals],
    words: [`"${name}" refuses calls for ${openMs} ms after ${trips(rules)}.`, ...inner.words],
  };
}

function trips({ consecutiveFailures, failureRatio, trip }: ResolvedCircuitBreakerOptions): string {
  const rules: string[] = [];
  if (consecutiveFailures !== false) rules.push(`${consecutiveFailures} failures in a row`);
  if (failureRatio !== undefined) {
    const { ratio, minimumCalls, windowMs } = failureRatio;
    rules.push(`${ratio * 100} % failures of at least ${minimumCalls} calls in ${windowMs} ms`);
  }
  if (trip !== undefined) rules.push('its trip rule');
  return rules.join(' or ');
}

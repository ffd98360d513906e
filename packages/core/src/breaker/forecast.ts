import type { Forecast } from '../explain/explain.ts';
import type { ResolvedCircuitBreakerOptions } from './options.ts';

/** A circuit takes no time of its own; it may refuse. */
export function forecastBreaker(rules: ResolvedCircuitBreakerOptions): Forecast {
  const { openMs, halfOpenPermits } = rules;
  const refusing = `for ${openMs} ms after ${trips(rules)}`;
  const probing = `${halfOpenPermits} probe${halfOpenPermits === 1 ? ' is' : 's are'} running`;
  return {
    refusals: [
      { code: 'CIRCUIT_OPEN', when: refusing },
      { code: 'CIRCUIT_BUSY', when: `after that, while ${probing}` },
    ],
    words: `refuses calls ${refusing}.`,
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

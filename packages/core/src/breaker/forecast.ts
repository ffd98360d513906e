import type { Forecast } from '../explain/explain.ts';
import { inWords } from './call-ratio.ts';
import type { ResolvedCircuitBreakerOptions } from './options.ts';

/** A circuit takes no time of its own; it may refuse. */
export function forecastBreaker(rules: ResolvedCircuitBreakerOptions): Forecast {
  const { halfOpenPermits, observe } = rules;
  const refusing = `for ${openTime(rules)} after ${trips(rules)}`;
  if (observe)
    return { words: `refuses nothing, and says what it would refuse: calls ${refusing}.` };
  const probing = `${halfOpenPermits} probe${halfOpenPermits === 1 ? ' is' : 's are'} running`;
  return {
    refusals: [
      { code: 'CIRCUIT_OPEN', when: refusing },
      { code: 'CIRCUIT_BUSY', when: `after that, while ${probing}` },
    ],
    words: `refuses calls ${refusing}.`,
  };
}

function openTime({ openFactor, openJitter, openMaxMs, openMs }: ResolvedCircuitBreakerOptions) {
  const grows = openFactor > 1 && openMaxMs > openMs;
  const time = grows ? `${openMs} ms, growing to ${openMaxMs} ms,` : `${openMs} ms`;
  return openJitter === 0 ? time : `${time} ± ${openJitter * 100} %`;
}

function trips(rules: ResolvedCircuitBreakerOptions): string {
  const { consecutiveFailures, failureRatio, slowCalls, trip } = rules;
  const words: string[] = [];
  if (consecutiveFailures !== false) words.push(`${consecutiveFailures} failures in a row`);
  if (failureRatio !== undefined) words.push(inWords(failureRatio, 'failures'));
  if (slowCalls !== undefined) {
    words.push(inWords(slowCalls, `taking ${slowCalls.slowCallMs} ms or longer`));
  }
  if (trip !== undefined) words.push('its trip rule');
  return words.join(' or ');
}

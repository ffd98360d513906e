import { checkNumber, checkOneOf } from '../../check.ts';
import type { CircuitCounts, CircuitSnapshot } from './snapshot.ts';

const STATES = ['closed', 'open', 'half-open', 'forced-open', 'forced-closed', 'disabled'];

const COUNTS: readonly (keyof CircuitCounts)[] = [
  'requests',
  'totalSuccesses',
  'totalFailures',
  'consecutiveSuccesses',
  'consecutiveFailures',
];

/** Throws unless `initial` is what `inspect` says of a circuit; it may come from a file. */
export function checkSnapshot(initial: CircuitSnapshot): void {
  const option = 'circuitBreaker.initial';
  const check = (name: string, value: unknown) =>
    checkNumber(`${option}.${name}`, value, 0, Number.MAX_SAFE_INTEGER);
  checkOneOf(`${option}.state`, initial?.state, [...STATES, 'observe']);
  checkOneOf(`${option}.observed`, initial.observed ?? 'closed', STATES.slice(0, 3));
  check('retryAfterMs', initial.retryAfterMs);
  check('expiresInMs', initial.expiresInMs ?? 0);
  check('opened', initial.opened);
  check('openings', initial.openings ?? 0);
  for (const name of COUNTS) check(`counts.${name}`, initial.counts?.[name]);
}

import type { Listener } from '@holdfast/core';
import type { Logger } from '@holdfast/telemetry/log';

/** What stands before a component's name in the name of its pipeline. */
const DIRECTION = /^(?:component|inbound) /;

/**
 * Hands events on to `next`, and writes a line for each change of a circuit. The line is daprd's, which operators
 * look for; beside it stand the policy and why, and what went wrong last.
 */
export function logCircuits(log: Logger, next: Listener | undefined): Listener {
  return (event) => {
    next?.(event);
    if (event.type !== 'circuit') return;
    const { from, to, policy, why, error } = event;
    const name = event.pipeline.replace(DIRECTION, '');
    log.info(`Circuit breaker "${name}" changed state from ${from} to ${to}`, {
      policy,
      why,
      ...(error instanceof Error && { last: error.message }),
    });
  };
}

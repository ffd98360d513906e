import { type Remark, remarkOnFallback, remarkOnOrder } from '../explain/remarks.ts';
import type { Policy } from '../policy.ts';
import type { ResolvedTimeoutOptions } from '../timeout/options.ts';
import type { ResolvedCircuitBreakerOptions } from './options.ts';

type Breaker = Policy<ResolvedCircuitBreakerOptions>;

/** What it does not see of what is inside it, and which of its numbers do not go with a time-out there. */
export function remarksOnCircuit(breaker: Breaker, inside: readonly Policy[]): readonly Remark[] {
  const words = (inner: string) =>
    `"${breaker.name}" sees one failure for all attempts of "${inner}" and opens late. Put the circuit inside the retry.`;
  return [
    ...remarkOnOrder('circuit-around-retry', breaker, inside, 'retry', words),
    ...remarkOnFallback(breaker, inside),
    ...inside
      .filter(({ kind }) => kind === 'timeout')
      .flatMap((limit) => remarksBeside(breaker, limit as Policy<ResolvedTimeoutOptions>)),
  ];
}

function remarksBeside({ name, options }: Breaker, limit: Policy<ResolvedTimeoutOptions>) {
  const { failureRatio, halfOpenMaxMs, slowCalls } = options;
  const { limitMs } = limit.options;
  const policies = [name, limit.name];
  const remarks: Remark[] = [];
  for (const windowMs of new Set([failureRatio?.windowMs, slowCalls?.windowMs])) {
    if (windowMs === undefined || windowMs >= 2 * limitMs) continue;
    const words = `The window of "${name}" (${windowMs} ms) is shorter than two attempts that end by "${limit.name}" (${limitMs} ms each). Make it longer.`;
    remarks.push({ rule: 'window-too-short', policies, words });
  }
  if (slowCalls !== undefined && slowCalls.slowCallMs > limitMs) {
    const words = `"${name}" calls slow what takes ${slowCalls.slowCallMs} ms, and "${limit.name}" ends it after ${limitMs} ms. Make slowCallMs shorter.`;
    remarks.push({ rule: 'slow-calls-unseen', policies, words });
  }
  if (halfOpenMaxMs < limitMs) {
    const words = `"${name}" gives up on a probe after ${halfOpenMaxMs} ms that "${limit.name}" lets run for ${limitMs} ms, and opens again though it might succeed. Make halfOpenMaxMs longer.`;
    remarks.push({ rule: 'half-open-too-short', policies, words });
  }
  return remarks;
}

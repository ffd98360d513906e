import type { CircuitSnapshot } from '@holdfast/core';
import { pipeline, timeout } from '@holdfast/core';
import { type CircuitReport, circuitReport } from '@holdfast/http';
import type { SidecarClient } from '../service/sidecar-client.ts';
import { type Forwarder, MAX_FAILURES } from './forwarder.ts';
import { UPSTREAMS } from './routes.ts';

type State = 'up' | 'down' | 'unknown';

/** What `/health` of the gateway says of the whole platform. */
export interface PlatformHealth {
  readonly status: 'healthy' | 'degraded';
  readonly services: Readonly<Record<string, State>>;
  /** As the services report them; `unknown` while the one that would know is down. */
  readonly checks: Readonly<Record<string, State>>;
  readonly circuit_breakers: Readonly<Record<string, BreakerReport>>;
}

/** A circuit as every `/health` here has it, with its limit in place of the reason. */
export interface BreakerReport extends Omit<CircuitReport, 'why'> {
  readonly max_failures: number;
}

/** Which service knows about which dependency. */
const REPORTED = [
  { check: 'database', by: 'sensor', as: 'database' },
  { check: 'auth-database', by: 'auth', as: 'database' },
  { check: 'broker', by: 'event', as: 'broker' },
] as const;

/** What a service's own `/health` says; undefined when it does not answer. */
export type ServiceHealth =
  | { readonly checks?: Readonly<Record<string, { readonly status: 'pass' | 'fail' }>> }
  | undefined;

/**
 * Asks every service, side by side and past the circuits: looking at the
 * health page must neither open a circuit nor wait for one.
 */
export async function askServices(
  sidecar: SidecarClient,
): Promise<Readonly<Record<string, ServiceHealth>>> {
  const answers = await Promise.all(
    UPSTREAMS.map(async ({ name, app }) => {
      const ask = asking.execute(async ({ signal }) => {
        const answer = await sidecar.invoke(app, '/health', { signal });
        return (await answer.json()) as ServiceHealth; // 503 says that something it needs is down
      });
      return [name, await ask.catch(() => undefined)] as const;
    }),
  );
  return Object.fromEntries(answers);
}

const asking = pipeline('platform-health', [timeout({ limitMs: 2_000 })]);

export function platformHealth(
  answers: Readonly<Record<string, ServiceHealth>>,
  forwarders: readonly Pick<Forwarder, 'name' | 'circuit'>[],
): PlatformHealth {
  const services = Object.fromEntries(
    Object.entries(answers).map(([name, answer]): [string, State] => [
      name,
      answer === undefined ? 'down' : 'up',
    ]),
  );
  const checks = Object.fromEntries(
    REPORTED.map(({ check, by, as }): [string, State] => [
      check,
      stateOf(answers[by]?.checks?.[as]?.status),
    ]),
  );
  const all = [...Object.values(services), ...Object.values(checks)];
  return {
    status: all.every((state) => state === 'up') ? 'healthy' : 'degraded',
    services,
    checks,
    circuit_breakers: Object.fromEntries(
      forwarders.map(({ name, circuit }) => [name, breakerReport(circuit())]),
    ),
  };
}

function stateOf(status: 'pass' | 'fail' | undefined): State {
  if (status === undefined) return 'unknown';
  return status === 'pass' ? 'up' : 'down';
}

function breakerReport(circuit: CircuitSnapshot | undefined): BreakerReport {
  if (circuit === undefined) throw new Error('unreachable: every forwarder has a circuit breaker');
  const { state, open, failures, retry_after_ms } = circuitReport(circuit);
  return { state, open, failures, max_failures: MAX_FAILURES, retry_after_ms };
}

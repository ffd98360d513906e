import { type Clock, checkNumber, systemClock } from '@holdfast/core';
import { type CheckResult, cachedCheck, type HealthCheck } from './cached-check.ts';
import type { CircuitReport } from './circuits-of.ts';

export interface HealthOptions {
  /** Names the service in `/health`. @default none */
  readonly service?: string;

  /** Without these the service cannot work: one that fails makes it unready. @default none */
  readonly checks?: Readonly<Record<string, HealthCheck>>;

  /** Without these it works worse: one that fails makes it `degraded`, and still ready. @default none */
  readonly optionalChecks?: Readonly<Record<string, HealthCheck>>;

  /** The circuits to show, read at each request: `() => circuitsOf(registry)`. @default none */
  readonly circuits?: () => Readonly<Record<string, CircuitReport>>;

  /** A check that takes longer has failed. @default 1_000 ms (1 … 60_000) */
  readonly checkTimeoutMs?: number;

  /**
   * A result answers further requests for so long. Longer spares what is
   * checked; shorter notices sooner.
   *
   * @default 1_000 ms (0 … 60_000)
   */
  readonly cacheMs?: number;

  /** @default systemClock */
  readonly clock?: Clock;
}

export const HEALTH_DEFAULTS = { checkTimeoutMs: 1_000, cacheMs: 1_000 } as const;

/** What to answer, for any framework; `body` is JSON. */
export interface HealthAnswer {
  readonly status: 200 | 503;
  readonly body: Readonly<Record<string, unknown>>;
}

/** The three questions an orchestrator and a person ask. */
export interface HealthRoutes {
  /** All of it: 200 while it works, degraded or not, 503 when a needed check fails. */
  health(): Promise<HealthAnswer>;
  /** Whether to send it requests: not while a needed check fails, nor after `drain`. */
  ready(): Promise<HealthAnswer>;
  /** Whether the process works at all; looks at nothing outside, for restarting would not help that. */
  live(): HealthAnswer;
  /** From now on not ready: the process is about to stop, and should get no new requests. */
  drain(): void;
  /** The answer for `/health`, `/ready` or `/live`; undefined for another path. */
  answer(path: string): Promise<HealthAnswer> | undefined;
}

/** Makes the handlers; `nodeHealth`, `fastifyHealth` and `expressHealth` put them into a server. */
export function healthRoutes(options: HealthOptions = {}): HealthRoutes {
  const { service, checks = {}, optionalChecks = {}, circuits = () => ({}) } = options;
  const clock = options.clock ?? systemClock;
  const times = resolveTimes(options);
  const prepare = (given: Readonly<Record<string, HealthCheck>>) =>
    Object.entries(given).map(([name, check]) => [name, cachedCheck(check, times, clock)] as const);
  const needed = prepare(checks);
  const wanted = prepare(optionalChecks);
  let draining = false;

  const routes: HealthRoutes = {
    async health() {
      const [must, may] = await Promise.all([ask(needed), ask(wanted)]);
      const circuitReports = circuits();
      const services = servicesOf(circuitReports);
      const troubled =
        !passes(may) || Object.values(services).some((state) => state !== 'available');
      const working = passes(must);
      return {
        status: working ? 200 : 503,
        body: {
          status: working ? (troubled ? 'degraded' : 'healthy') : 'unhealthy',
          ...(service === undefined ? {} : { service }),
          services,
          checks: { ...must, ...may },
          circuit_breakers: circuitReports,
        },
      };
    },
    async ready() {
      if (draining) return { status: 503, body: { status: 'draining' } };
      const must = await ask(needed);
      const ready = passes(must);
      return {
        status: ready ? 200 : 503,
        body: { status: ready ? 'ready' : 'not ready', checks: must },
      };
    },
    live: () => ({ status: 200, body: { status: 'alive' } }),
    drain() {
      draining = true;
    },
    answer(path) {
      if (path === '/health') return routes.health();
      if (path === '/ready') return routes.ready();
      return path === '/live' ? Promise.resolve(routes.live()) : undefined;
    },
  };
  return routes;
}

type Results = Readonly<Record<string, CheckResult>>;

async function ask(
  checks: readonly (readonly [string, () => Promise<CheckResult>])[],
): Promise<Results> {
  const results = checks.map(async ([name, check]) => [name, await check()] as const);
  return Object.fromEntries(await Promise.all(results));
}

const passes = (results: Results) =>
  Object.values(results).every(({ status }) => status === 'pass');

/** What the circuits say about the services behind them. */
function servicesOf(circuits: Readonly<Record<string, CircuitReport>>): Record<string, string> {
  const describe = ({ open, state }: CircuitReport) => {
    if (open) return 'unavailable';
    return state === 'half-open' ? 'recovering' : 'available';
  };
  return Object.fromEntries(Object.entries(circuits).map(([name, c]) => [name, describe(c)]));
}

function resolveTimes(options: HealthOptions) {
  const timeoutMs = options.checkTimeoutMs ?? HEALTH_DEFAULTS.checkTimeoutMs;
  const cacheMs = options.cacheMs ?? HEALTH_DEFAULTS.cacheMs;
  checkNumber('health.checkTimeoutMs', timeoutMs, 1, 60_000);
  checkNumber('health.cacheMs', cacheMs, 0, 60_000);
  return { timeoutMs, cacheMs };
}

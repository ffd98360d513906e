import {
  type CircuitSnapshot,
  circuitBreaker,
  isPolicyError,
  type PolicyEvent,
  pipeline,
  retry,
  timeout,
} from '@holdfast/core';
import { circuitOf } from '@holdfast/http';

/** What `/proxy` shows: the answer, and what it took to get it. */
export interface ProxyReport {
  readonly status: number;
  readonly body: {
    readonly upstream: string;
    readonly answer?: unknown;
    readonly error?: string;
    /** How often the dependency was asked for this answer. */
    readonly attempts: number;
    readonly circuit: CircuitSnapshot['state'];
    readonly metrics: Readonly<Metrics>;
  };
}

interface Metrics {
  calls: number;
  attempts: number;
  retries: number;
  timeouts: number;
  refused: number;
  failed: number;
}

/**
 * Calls a dependency outside the platform, which may fail as it likes: three
 * retries with growing, random waits, half a second for each attempt, and a
 * circuit that opens when five attempts in a row have failed.
 *
 * @param about says in the answer what that dependency is
 */
export function outsideProxy(url: string, about: string): () => Promise<ProxyReport> {
  const metrics: Metrics = {
    calls: 0,
    attempts: 0,
    retries: 0,
    timeouts: 0,
    refused: 0,
    failed: 0,
  };
  const calls = pipeline(
    'outside',
    [
      retry({ maxRetries: 3, delayMs: 50 }),
      circuitBreaker({ consecutiveFailures: 5, openMs: 2_000 }),
      timeout({ limitMs: 500 }),
    ],
    { report: (event) => count(metrics, event) },
  );
  const circuit = () => circuitOf(calls)?.state ?? 'closed';

  return async () => {
    let attempts = 0;
    try {
      const answer = await calls.execute(async ({ signal, attempt }) => {
        attempts = attempt;
        const response = await fetch(url, { signal });
        const body: unknown = await response.json();
        if (!response.ok) throw new Error(`The dependency answered ${response.status}`);
        return body;
      });
      return {
        status: 200,
        body: { upstream: about, answer, attempts, circuit: circuit(), metrics: { ...metrics } },
      };
    } catch (error) {
      const why = isPolicyError(error) ? error.code : (error as Error).message;
      return {
        status: 503,
        body: {
          upstream: about,
          error: `outside service unavailable: ${why}`,
          attempts,
          circuit: circuit(),
          metrics: { ...metrics },
        },
      };
    }
  };
}

function count(metrics: Metrics, event: PolicyEvent): void {
  switch (event.type) {
    case 'call':
      metrics.calls += 1;
      if (event.outcome !== 'success') metrics.failed += 1;
      return;
    case 'attempt':
      metrics.attempts += 1;
      return;
    case 'retry':
      metrics.retries += 1;
      return;
    case 'timeout':
      metrics.timeouts += 1;
      return;
    case 'refused':
      metrics.refused += 1;
      return;
  }
}

import type { Clock, Timer } from '@holdfast/core';
import type { Flow, Upstream } from '../flow/answer.ts';
import type { AppHealthCheckOptions } from '../options.ts';
import type { ProbeWords } from './probe-words.ts';

export const APP_HEALTH_DEFAULTS = {
  path: '/healthz',
  intervalMs: 5_000,
  timeoutMs: 500,
  threshold: 3,
} as const satisfies Required<AppHealthCheckOptions>;

/** What is told of an application's health. */
export interface AppHealthListener {
  /** It is healthy from now on, or not, and then why. */
  changed(health: { readonly healthy: true } | { readonly healthy: false; why: string }): void;
  /** A probe has ended; 500 where there was no answer. */
  probed?(status: number, ms: number): void;
}

export interface AppHealthProbes {
  /** How the application is reached. */
  readonly app: Upstream;
  readonly options: AppHealthCheckOptions;
  readonly words: ProbeWords;
  readonly clock: Clock;
}

/** How a probe ended: `why` it failed, undefined where it did not. */
interface Probed {
  readonly status: number;
  readonly why: string | undefined;
}

/**
 * Probes the application: unhealthy at first and after `threshold` failures in
 * a row, healthy after one success.
 */
export function watchAppHealth(
  probes: AppHealthProbes,
  listener: AppHealthListener,
): { close(): void } {
  const { clock } = probes;
  const options = { ...APP_HEALTH_DEFAULTS, ...probes.options };
  let failures = options.threshold;
  let next: Timer | undefined;
  let closed = false;

  const verdict = (why: string | undefined): void => {
    const before = failures < options.threshold;
    failures = why === undefined ? 0 : failures + 1;
    const after = failures < options.threshold;
    if (before !== after && !closed) {
      listener.changed(why === undefined ? { healthy: true } : { healthy: false, why });
    }
  };
  const look = (): void => {
    next = clock.timer(options.intervalMs, look);
    // It never rejects: no answer is an answer.
    const begunMs = clock.now();
    void probe(probes, options.path, options.timeoutMs).then(({ status, why }) => {
      if (closed) return;
      listener.probed?.(status, clock.now() - begunMs);
      verdict(why);
    });
  };
  look();
  return {
    close() {
      closed = true;
      next?.cancel();
    },
  };
}

/** What the application answers; 500, as in Dapr, where it does not, or not in time. */
function probe(
  { app, clock, words }: AppHealthProbes,
  path: string,
  timeoutMs: number,
): Promise<Probed> {
  return new Promise((resolve) => {
    let flow: Flow | undefined;
    const limit = clock.timer(timeoutMs, () => {
      flow?.abort(new DOMException('The health probe timed out.', 'TimeoutError'));
      resolve({ status: 500, why: words.late(path) });
    });
    const end = (status: number, why: string | undefined): void => {
      limit.cancel();
      resolve({ status, why });
    };
    flow = app.send(
      { method: 'GET', path, headers: [], body: null },
      {
        head(status) {
          const well = status >= 200 && status < 300;
          end(status, well ? undefined : `Health check failed with status code: ${status}`);
        },
        data() {},
        end() {},
        fail: (error) => end(500, words.failed(error)),
      },
    );
  });
}

import type { Clock, Timer } from '@holdfast/core';
import type { Flow, Upstream } from '../flow/answer.ts';
import type { AppHealthCheckOptions } from '../options.ts';

export const APP_HEALTH_DEFAULTS = {
  path: '/healthz',
  intervalMs: 5_000,
  timeoutMs: 500,
  threshold: 3,
} as const satisfies Required<AppHealthCheckOptions>;

/**
 * Probes the application: unhealthy at first and after `threshold` failures in
 * a row, healthy after one success.
 */
export function watchAppHealth(
  app: Upstream,
  given: AppHealthCheckOptions,
  clock: Clock,
  changed: (healthy: boolean) => void,
  probed: (status: number, ms: number) => void = () => {},
): { close(): void } {
  const options = { ...APP_HEALTH_DEFAULTS, ...given };
  let failures = options.threshold;
  let next: Timer | undefined;
  let closed = false;

  const verdict = (ok: boolean): void => {
    const before = failures < options.threshold;
    failures = ok ? 0 : failures + 1;
    const after = failures < options.threshold;
    if (before !== after && !closed) changed(after);
  };
  const look = (): void => {
    next = clock.timer(options.intervalMs, look);
    // It never rejects: no answer is an answer.
    const begunMs = clock.now();
    void probe(app, options.path, options.timeoutMs, clock).then((status) => {
      if (closed) return;
      probed(status, clock.now() - begunMs);
      verdict(status >= 200 && status < 300);
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
function probe(app: Upstream, path: string, timeoutMs: number, clock: Clock): Promise<number> {
  return new Promise((resolve) => {
    let flow: Flow | undefined;
    const limit = clock.timer(timeoutMs, () => {
      flow?.abort(new Error('health probe timed out'));
      resolve(500);
    });
    const end = (status: number): void => {
      limit.cancel();
      resolve(status);
    };
    flow = app.send(
      { method: 'GET', path, headers: [], body: null },
      {
        head: (status) => end(status),
        data() {},
        end() {},
        fail: () => end(500),
      },
    );
  });
}

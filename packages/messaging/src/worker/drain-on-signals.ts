/** What is to end: a worker, jobs, an outbox, a pool of threads. */
export type Drainable =
  | { stop(options?: { readonly graceMs?: number }): Promise<void> }
  | { close(): Promise<void> };

/** The methods of Node's `process` that are called. */
export interface SignalledProcess {
  on(signal: string, heard: () => void): unknown;
  off(signal: string, heard: () => void): unknown;
  exit(code: number): void;
}

export interface DrainOptions {
  /** @default ['SIGTERM', 'SIGINT'] */
  readonly signals?: readonly string[];
  /** Of those that are stopped. Keep it below what your platform waits (Kubernetes: 30 s). @default their own */
  readonly graceMs?: number;
}

export const DRAIN_DEFAULTS = { signals: ['SIGTERM', 'SIGINT'] } as const;

/**
 * Ends a process in order when it is told to: stops or closes what it was given, one after another
 * (workers finish, and give back what has not ended in time), then exits with 0, or with 1 when
 * one of them could not be ended; the others are all the same. A second signal exits at once, and
 * leases lapse. Returns what takes the listeners away.
 */
export function drainOnSignals(
  given: Drainable | readonly Drainable[],
  process: SignalledProcess,
  options: DrainOptions = {},
): () => void {
  const { signals, graceMs } = { ...DRAIN_DEFAULTS, ...options };
  const all = Array.isArray(given) ? (given as readonly Drainable[]) : [given as Drainable];
  let draining = false;
  const heard = () => {
    if (draining) {
      process.exit(1);
      return;
    }
    draining = true;
    void drain().then((status) => process.exit(status));
  };
  const drain = async (): Promise<number> => {
    let status = 0;
    for (const each of all) {
      try {
        if ('close' in each) await each.close();
        else await each.stop(graceMs === undefined ? {} : { graceMs });
      } catch {
        // The status tells of it, and the others have to be ended all the same.
        status = 1;
      }
    }
    return status;
  };
  for (const signal of signals) process.on(signal, heard);
  return () => {
    for (const signal of signals) process.off(signal, heard);
  };
}

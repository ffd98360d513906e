/** Ctrl-C as abort signals, for `startRun`. */
export interface Interrupts {
  /** Aborts at the first SIGINT, SIGTERM or SIGHUP; its reason is an `InterruptedError`. */
  readonly signal: AbortSignal;
  /** Aborts at the second. */
  readonly forceSignal: AbortSignal;
  /** Gives the signals back to Node, which ends the process at the next. */
  close(): void;
}

/** A run was stopped by a signal to its supervisor. `status` is what to exit with. */
export class InterruptedError extends Error {
  readonly code = 'INTERRUPTED';
  readonly signal: NodeJS.Signals;

  constructor(signal: NodeJS.Signals) {
    super(`Stopped by ${signal}.`);
    this.name = 'InterruptedError';
    this.signal = signal;
  }
}

const SIGNALS: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/**
 * Takes SIGINT, SIGTERM and SIGHUP from now on: call it before anything is
 * started, so that no moment is left in which Ctrl-C would leave processes behind.
 */
export function interruptSignals(): Interrupts {
  const first = new AbortController();
  const second = new AbortController();
  const listener = (signal: NodeJS.Signals) => {
    const controller = first.signal.aborted ? second : first;
    controller.abort(new InterruptedError(signal));
  };
  for (const name of SIGNALS) process.on(name, listener);
  return {
    signal: first.signal,
    forceSignal: second.signal,
    close() {
      for (const name of SIGNALS) process.removeListener(name, listener);
    },
  };
}

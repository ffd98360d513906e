import { InterruptedError } from './interrupted.ts';

/** Aborts with an `InterruptedError`, until disposed of. */
export interface InterruptSignal extends Disposable {
  readonly signal: AbortSignal;
}

/**
 * Follows `given`, or SIGINT and SIGTERM if there is none. A second Ctrl-C
 * does what it does without us, so whoever insists can leave.
 */
export function interruptSignal(given?: AbortSignal): InterruptSignal {
  const interrupted = new AbortController();
  const dispose = () => {
    given?.removeEventListener('abort', abort);
    process.removeListener('SIGINT', abort);
    process.removeListener('SIGTERM', abort);
  };
  const abort = () => {
    dispose();
    interrupted.abort(new InterruptedError());
  };
  if (given === undefined) {
    process.on('SIGINT', abort);
    process.on('SIGTERM', abort);
  } else if (given.aborted) {
    abort();
  } else {
    given.addEventListener('abort', abort);
  }
  return { signal: interrupted.signal, [Symbol.dispose]: dispose };
}

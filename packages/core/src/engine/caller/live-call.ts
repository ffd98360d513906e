import type { Call } from '../../policy.ts';

/** What a running call asks its operation. */
export interface CallSource {
  /** The call that is running; any other has ended. */
  readonly call: Call | undefined;
  remainingMs(): number;
}

/**
 * What the caller's function sees. The caller may keep it for ever, so it is
 * made anew for each attempt, and trusts its pooled operation only while that
 * still runs this very call.
 */
export class LiveCall implements Call {
  readonly attempt: number;
  readonly #source: CallSource;
  /** Nothing until somebody reads the signal or the attempt is aborted, whichever comes first. */
  #signal: AbortController | { readonly reason: unknown } | undefined = undefined;
  #gone = false;
  /** Who asked to be told, whether there is a signal or not. */
  #aborted: ((reason: unknown) => void) | undefined = undefined;

  constructor(source: CallSource, attempt: number) {
    this.#source = source;
    this.attempt = attempt;
  }

  get signal(): AbortSignal {
    if (this.#signal instanceof AbortController) return this.#signal.signal;
    // An `AbortController` costs as much as the rest of the call: made when first asked for.
    const controller = new AbortController();
    if (this.#signal !== undefined) controller.abort(this.#signal.reason);
    this.#signal = controller;
    return controller.signal;
  }

  get remainingMs(): number {
    return this.#source.call === this ? this.#source.remainingMs() : 0;
  }

  onAbort(listener: (reason: unknown) => void): void {
    const signal = this.#signal instanceof AbortController ? this.#signal.signal : this.#signal;
    if (signal !== undefined && (!(signal instanceof AbortSignal) || signal.aborted)) {
      listener(signal.reason);
      return;
    }
    const before = this.#aborted;
    this.#aborted =
      before === undefined
        ? listener
        : (reason) => {
            before(reason);
            listener(reason);
          };
  }

  /**
   * The first reason counts.
   *
   * @internal
   */
  abort(reason: unknown): void {
    if (this.#gone) return;
    this.#gone = true;
    if (this.#signal instanceof AbortController) this.#signal.abort(reason);
    else this.#signal = { reason };
    try {
      this.#aborted?.(reason);
    } catch (error) {
      // As with a listener of a signal: what it throws is nobody's here.
      queueMicrotask(() => {
        throw error;
      });
    }
  }
}

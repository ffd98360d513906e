/**
 * An abort signal for one listener: the pipeline that runs the call. A real one,
 * with its event target, costs more than the policies do, at each call, and the
 * engine of the policies uses no more of it than this. It is given to nobody else.
 */
export class CallerSignal {
  aborted = false;
  reason: unknown = undefined;
  #listener: (() => void) | undefined;

  /** As the engine's options have it. */
  get asSignal(): AbortSignal {
    return this as unknown as AbortSignal;
  }

  addEventListener(_abort: 'abort', listener: () => void): void {
    if (this.#listener !== undefined) throw new Error('unreachable: a call has one pipeline');
    this.#listener = listener;
  }

  removeEventListener(_abort: 'abort', listener: () => void): void {
    if (this.#listener === listener) this.#listener = undefined;
  }

  abort(reason: unknown): void {
    if (this.aborted) return;
    this.aborted = true;
    this.reason = reason;
    this.#listener?.();
  }
}

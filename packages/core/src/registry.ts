import type { CircuitState, Listener } from './events.ts';
import type { Pipeline, PipelineSnapshot } from './pipeline.ts';

/** Names every live pipeline of a process, and lets an operator look at and steer them. */
export interface Registry {
  list(): readonly PipelineSnapshot[];
  get(name: string): Pipeline | undefined;
  /** Hears the events of all pipelines in it, also of those that come later. Returns what ends it. */
  listen(listener: Listener): () => void;
  /**
   * Forces the circuits of a pipeline for `forMs` (1 ms … 24 h, default 5 min); `'closed'` in
   * `as` lifts a force. Throws a `RangeError` that names the pipelines there are.
   */
  force(
    pipeline: string,
    as: Extract<CircuitState, 'forced-open' | 'forced-closed' | 'disabled' | 'closed'>,
    options?: { readonly forMs?: number },
  ): void;
}

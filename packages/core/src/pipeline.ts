import type { Env } from './env.ts';
import type { Explanation } from './explain/explain.ts';
import type { CallFunction, ExecuteOptions, Policy, PolicyKind } from './policy.ts';
import type { CircuitSnapshot } from './breaker/snapshot.ts';

/** A chain of policies with a name. Calls through it share its state: circuits, permits, queues. */
export interface Pipeline {
  readonly name: string;
  /** Outermost first. */
  readonly policies: readonly Policy[];

  execute<T>(fn: CallFunction<T>, options?: ExecuteOptions<T>): Promise<T>;

  /** `fn` behind this pipeline; keeps its name, length, `this` and types. */
  wrap<This, A extends unknown[], R>(
    fn: (this: This, ...args: A) => PromiseLike<R> | R,
  ): (this: This, ...args: A) => Promise<R>;

  /** What it does, as data and in words. */
  explain(): Explanation;

  /** Its live state; cheap enough for a health check. */
  inspect(): PipelineSnapshot;

  /**
   * Puts other policies in place. One of the same kind and name keeps its
   * state (circuit, permits, queue) under its new options; calls in flight end
   * under the policies they began with.
   */
  swap(policies: readonly Policy[]): void;

  /** Takes it off the registry. Calls in flight end as usual. */
  [Symbol.dispose](): void;
}

/** The live state of a pipeline. */
export interface PipelineSnapshot {
  readonly name: string;
  /** Calls begun and not ended, waits included. */
  readonly inFlight: number;
  readonly policies: readonly PolicySnapshot[];
}

/** One policy's part of a snapshot; `circuit` and `bulkhead` where it is one. */
export interface PolicySnapshot {
  readonly kind: PolicyKind;
  readonly name: string;
  readonly options: Readonly<object>;
  readonly circuit?: CircuitSnapshot;
  readonly bulkhead?: { readonly active: number; readonly queued: number };
}

/** Composes policies, outermost first: `pipeline('p', [retry(), timeout()])` times out each attempt. */
export declare function pipeline(
  name: string,
  policies: readonly Policy[],
  env?: Partial<Env>,
): Pipeline;

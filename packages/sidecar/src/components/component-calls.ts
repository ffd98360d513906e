import type { ComponentType } from '@holdfast/config';
import type { Clock } from '@holdfast/core';
import type { SidecarMetrics } from '../metrics/sidecar-metrics.ts';
import type { PolicyBook } from '../policies/policy-book.ts';
import { EtagMismatchError, InvalidEtagError } from '../state/state-store.ts';
import { waitingClient } from './waiting-client.ts';

/** The building blocks whose components are called, as metrics name them. */
export type ComponentKind =
  | 'state'
  | 'secret'
  | 'published'
  | 'publishedBulk'
  | 'configuration'
  | 'lock'
  | 'binding';

const POLICY_TYPE: Readonly<Record<ComponentKind, ComponentType>> = {
  state: 'Statestore',
  secret: 'Secretstore',
  published: 'Pubsub',
  publishedBulk: 'Pubsub',
  configuration: 'Configuration',
  lock: 'Lock',
  binding: 'Binding',
};

/**
 * A component that is well and says no: somebody else has written since, or the
 * caller's etag is none. To its
 * policies that is an answer: nothing is gained by asking again, and nothing is
 * held against it.
 */
class Disagreement {
  readonly error: Error;

  constructor(error: Error) {
    this.error = error;
  }
}

function settled<T>(work: () => Promise<T>): Promise<T | Disagreement> {
  return work().catch((error: unknown) => {
    if (error instanceof EtagMismatchError || error instanceof InvalidEtagError)
      return new Disagreement(error);
    throw error;
  });
}

/** Calls of components: through their policies, timed and counted. */
export class ComponentCalls {
  readonly #book: PolicyBook;
  readonly #metrics: SidecarMetrics;
  readonly #clock: Clock;

  constructor(book: PolicyBook, metrics: SidecarMetrics, clock: Clock) {
    this.#book = book;
    this.#metrics = metrics;
    this.#clock = clock;
  }

  /**
   * Rejects with what the component threw, or with the error of a policy. `work`
   * may look at the signal of its attempt: absent where there is no policy. A client that gives
   * the call up ends its retries.
   */
  async run<T>(
    kind: ComponentKind,
    name: string,
    operation: string,
    work: (call?: { readonly signal: AbortSignal }) => Promise<T>,
  ): Promise<T> {
    return await this.counted(kind, name, operation, () =>
      this.#guarded(kind, name, work, waitingClient),
    );
  }

  /** As `run`, without the counting: for what no client called. */
  async guarded<T>(
    kind: ComponentKind,
    name: string,
    work: (call?: { readonly signal: AbortSignal }) => Promise<T>,
  ): Promise<T> {
    return await this.#guarded(kind, name, work, () => undefined);
  }

  async #guarded<T>(
    kind: ComponentKind,
    name: string,
    work: (call?: { readonly signal: AbortSignal }) => Promise<T>,
    client: () => AbortSignal | undefined,
  ): Promise<T> {
    const pipeline = this.#book.forComponent(name, POLICY_TYPE[kind], 'outbound');
    const signal = pipeline === undefined ? undefined : client();
    const result = await (pipeline === undefined
      ? work()
      : pipeline.execute((call) => settled(() => work(call)), {
          ...(signal !== undefined && { signal }),
        }));
    if (result instanceof Disagreement) throw result.error;
    return result;
  }

  /** Timed and counted only: for work that does not leave this process. */
  async counted<T>(
    kind: ComponentKind,
    name: string,
    operation: string,
    work: () => Promise<T>,
  ): Promise<T> {
    const begunMs = this.#clock.now();
    let success = false;
    try {
      const result = await work();
      success = true;
      return result;
    } finally {
      const tookMs = this.#clock.now() - begunMs;
      this.#metrics.component(kind, name, operation, success, tookMs);
    }
  }
}

import type { Clock } from '@holdfast/core';
import { BrokerUnavailableError } from '../errors.ts';
import { keepConsuming } from './keep-consuming.ts';
import { type ResolvedSubscribeOptions, tell } from './subscribe-options.ts';

export interface KeptSubscriptionOptions {
  readonly clock: Clock;
  /** Wait before it consumes again: the first, doubling up to ten times this. */
  readonly reconnectMs: number;
  readonly subscribe: ResolvedSubscribeOptions;
  /** A loss in a sentence: whom the broker no longer serves, and why. */
  readonly lossOf: (cause: unknown) => string;
  /** A loss that no waiting ends: whoever waits to join is told. @default an outage ends */
  readonly isFinal?: (cause: unknown) => boolean;
}

/**
 * The life of one member of a group, whatever its broker: it consumes, anew after each loss, until
 * it is closed. `joined` is settled once, by the first time it has joined or the first refusal.
 */
export class KeptSubscription {
  readonly #options: KeptSubscriptionOptions;
  readonly #closing = new AbortController();
  readonly #joined = Promise.withResolvers<void>();
  #ended = Promise.resolve();

  constructor(options: KeptSubscriptionOptions) {
    this.#options = options;
  }

  /** Aborts when it is closed. */
  get closing(): AbortSignal {
    return this.#closing.signal;
  }

  get joined(): Promise<void> {
    return this.#joined.promise;
  }

  hasJoined(): void {
    this.#joined.resolve();
  }

  /** `consume` resolves when it was closed, and rejects when the broker was lost. */
  begin(consume: (progress: () => void) => Promise<void>): void {
    const { clock, isFinal, lossOf, reconnectMs, subscribe } = this.#options;
    this.#ended = keepConsuming(consume, {
      clock,
      reconnectMs,
      signal: this.closing,
      lost: (cause) => {
        const error = new BrokerUnavailableError(lossOf(cause), cause);
        if (isFinal?.(cause) === true) this.#joined.reject(error);
        tell(subscribe, { kind: 'connection-lost', error });
      },
    });
  }

  /** Resolves when nothing consumes any more; handlers may still be at work. */
  async close(): Promise<void> {
    this.#closing.abort(new Error('The subscription was closed.'));
    await this.#ended;
  }
}

import { listen } from '../postgres/listener.ts';
import type { ResolvedPostgresBrokerOptions } from './options.ts';

/** Of all brokers on one schema; its payload is the topic. */
export function channelOf({ schema, listen: told }: ResolvedPostgresBrokerOptions): string {
  return told ? `holdfast_${schema}_broker` : '';
}

/** One listening connection for all subscriptions of a broker, while there are any. */
export class Notices {
  readonly #options: ResolvedPostgresBrokerOptions;
  readonly #waiting = new Map<() => void, string>();
  #stop: (() => void) | undefined;

  constructor(options: ResolvedPostgresBrokerOptions) {
    this.#options = options;
  }

  /** `heard` is called when there may be something new in `topic`. Returns what ends that. */
  hear(topic: string, heard: () => void): () => void {
    this.#waiting.set(heard, topic);
    const channel = channelOf(this.#options);
    if (channel !== '') {
      const { clock, pool } = this.#options;
      this.#stop ??= listen({ pool, channel, clock, heard: (about) => this.#tell(about) });
    }
    return () => {
      this.#waiting.delete(heard);
      if (this.#waiting.size > 0) return;
      this.#stop?.();
      this.#stop = undefined;
    };
  }

  #tell(about: unknown): void {
    const topic = (about as { readonly payload?: string } | undefined)?.payload;
    for (const [heard, wanted] of this.#waiting) {
      if (topic === undefined || topic === wanted) heard();
    }
  }
}

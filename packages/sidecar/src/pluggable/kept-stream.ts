import type { Clock } from '@holdfast/core';
import type { Logger } from '@holdfast/telemetry/log';
import { MessageQueue } from '../grpc/message-queue.ts';

export interface KeptStreamOptions<Request, Response> {
  /** Names the stream in the log. */
  readonly what: string;
  readonly open: (
    requests: AsyncIterable<Request>,
    options: { readonly signal: AbortSignal },
  ) => AsyncIterable<Response>;
  /** Said first, whenever the stream is opened. */
  readonly first?: Request;
  /** One that has come; what it resolves with is answered. */
  readonly take: (response: Response) => Promise<Request>;
  /** Several at once, or each after the one before. */
  readonly atOnce: boolean;
  readonly clock: Clock;
  readonly log: Logger;
}

/** A component answers no faster than it is asked; answers wait here while its stream is slow. */
const MAX_WAITING = 100_000;
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 10_000;

/**
 * A stream of a component that hands something over and waits to hear what became
 * of it. One that breaks is opened again, for as long as it is wanted.
 */
export class KeptStream<Request, Response> {
  readonly #options: KeptStreamOptions<Request, Response>;
  readonly #ended = new AbortController();
  readonly #inHand = new Set<Promise<void>>();
  #resting = false;

  constructor(options: KeptStreamOptions<Request, Response>) {
    this.#options = options;
    void this.#run();
  }

  /** Takes nothing more; resolves when what was taken is answered. */
  async rest(): Promise<void> {
    this.#resting = true;
    while (this.#inHand.size > 0) await Promise.all(this.#inHand);
  }

  /** Waits for nobody. */
  end(): void {
    this.#resting = true;
    this.#ended.abort(new Error('the stream is not wanted any more'));
  }

  async #run(): Promise<void> {
    const { clock, log, what } = this.#options;
    const { signal } = this.#ended;
    let pauseMs = FIRST_PAUSE_MS;
    while (!signal.aborted) {
      try {
        if (await this.#once()) pauseMs = FIRST_PAUSE_MS;
        if (signal.aborted) return;
        log.warn(`${what}: the component has ended the stream; it is opened again.`);
      } catch (error) {
        if (signal.aborted) return;
        log.error(`${what}: ${(error as Error).message}; tried again in ${pauseMs} ms.`);
      }
      await clock.sleep(pauseMs, signal).catch(() => {});
      pauseMs = Math.min(LONGEST_PAUSE_MS, pauseMs * 2);
    }
  }

  /** Until the stream ends; whether anything came. */
  async #once(): Promise<boolean> {
    const { atOnce, first, open } = this.#options;
    const requests = new MessageQueue<Request>(MAX_WAITING);
    if (first !== undefined) requests.put(first);
    let came = false;
    try {
      for await (const response of open(requests, { signal: this.#ended.signal })) {
        came = true;
        // Not answered: the component keeps it, and hands it to whoever comes next.
        if (this.#resting) continue;
        const done = this.#take(response, requests);
        this.#inHand.add(done);
        void done.finally(() => this.#inHand.delete(done));
        if (!atOnce) await done;
      }
      return came;
    } finally {
      requests.end();
    }
  }

  async #take(response: Response, requests: MessageQueue<Request>): Promise<void> {
    const answer = await this.#options.take(response);
    if (!this.#ended.signal.aborted) requests.put(answer);
  }
}

import type { Clock } from '@holdfast/core';
import type { Logger } from '@holdfast/telemetry/log';
import { MessageQueue } from '../grpc/wire/message-queue.ts';

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
  /** The answer to one that comes while the stream rests; without it there is none, and the component keeps what it has. */
  readonly refuse?: (response: Response) => Request;
  readonly clock: Clock;
  readonly log: Logger;
}

/** A component answers no faster than it is asked; answers wait here while its stream is slow. */
const MAX_WAITING = 100_000;
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 10_000;
/** What an answer has to reach the component before the stream may end; as in daprd. */
const HEARD_MS = 400;
/** A component from which nothing came for so long has nothing more on its way; as in daprd, as the next. */
const QUIET_MS = 100;
const LONGEST_DRAIN_MS = 30_000;

/**
 * A stream of a component that hands something over and waits to hear what became
 * of it. How many are in hand at once is for the component to say, which knows what it has not been answered.
 * One that breaks is opened again, for as long as it is wanted.
 */
export class KeptStream<Request, Response> {
  readonly #options: KeptStreamOptions<Request, Response>;
  readonly #ended = new AbortController();
  readonly #inHand = new Set<Promise<void>>();
  readonly #introduced = Promise.withResolvers<void>();
  #rested: Promise<void> | undefined;
  #taken = 0;
  #answeredMs = Number.NEGATIVE_INFINITY;

  constructor(options: KeptStreamOptions<Request, Response>) {
    this.#options = options;
    void this.#run();
  }

  /** Resolves when what is said first is on its way to the component, or cannot be for now. */
  introduced(): Promise<void> {
    return this.#introduced.promise;
  }

  /** Goes on; resolves when what a component that was paused had on its way is through. */
  async quiet(): Promise<void> {
    const { clock } = this.#options;
    const { signal } = this.#ended;
    const untilMs = clock.now() + LONGEST_DRAIN_MS;
    let taken: number | undefined;
    while (taken !== this.#taken && clock.now() < untilMs && !signal.aborted) {
      taken = this.#taken;
      while (this.#inHand.size > 0) await Promise.all(this.#inHand);
      await clock.sleep(QUIET_MS, signal).catch(() => {});
    }
  }

  /** Takes nothing more; resolves when the component has heard what became of that which was taken. */
  rest(): Promise<void> {
    this.#rested ??= this.#settle();
    return this.#rested;
  }

  /** Waits for nobody. */
  end(): void {
    this.#ended.abort(new Error('the stream is not wanted any more'));
  }

  async #settle(): Promise<void> {
    const { clock } = this.#options;
    while (this.#inHand.size > 0) await Promise.all(this.#inHand);
    const leftMs = this.#answeredMs + HEARD_MS - clock.now();
    // An end of it meanwhile is what `end` is for.
    if (leftMs > 0) await clock.sleep(leftMs, this.#ended.signal).catch(() => {});
  }

  async #run(): Promise<void> {
    const { clock, log, what } = this.#options;
    const { signal } = this.#ended;
    let pauseMs = FIRST_PAUSE_MS;
    // One that rests has nothing to take from another stream.
    while (!signal.aborted && this.#rested === undefined) {
      try {
        if (await this.#once()) pauseMs = FIRST_PAUSE_MS;
        if (signal.aborted) return;
        log.warn(`${what}: the component has ended the stream; it is opened again.`);
      } catch (error) {
        if (signal.aborted) return;
        log.error(`${what}: ${(error as Error).message}; tried again in ${pauseMs} ms.`);
      }
      this.#introduced.resolve();
      await clock.sleep(pauseMs, signal).catch(() => {});
      pauseMs = Math.min(LONGEST_PAUSE_MS, pauseMs * 2);
    }
  }

  /** Until the stream ends; whether anything came. */
  async #once(): Promise<boolean> {
    const { first, open, refuse } = this.#options;
    const requests = new MessageQueue<Request>(MAX_WAITING);
    if (first !== undefined) requests.put(first);
    let came = false;
    try {
      for await (const response of open(this.#seen(requests), { signal: this.#ended.signal })) {
        came = true;
        if (this.#rested !== undefined) {
          if (refuse !== undefined) requests.put(refuse(response));
          continue;
        }
        this.#taken += 1;
        const done = this.#take(response, requests);
        this.#inHand.add(done);
        void done.finally(() => this.#inHand.delete(done));
      }
      return came;
    } finally {
      requests.end();
    }
  }

  /** Whoever asks for what is behind the first has written that. */
  async *#seen(requests: AsyncIterable<Request>): AsyncGenerator<Request> {
    for await (const request of requests) {
      yield request;
      this.#introduced.resolve();
    }
  }

  async #take(response: Response, requests: MessageQueue<Request>): Promise<void> {
    const answer = await this.#options.take(response);
    if (this.#ended.signal.aborted) return;
    requests.put(answer);
    this.#answeredMs = this.#options.clock.now();
  }
}

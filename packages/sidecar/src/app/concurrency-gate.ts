import type { AnswerSink, Flow, OutgoingCall, Upstream } from '../flow/answer.ts';

/**
 * Lets `limit` calls through at a time; others wait in the order they came, for
 * as long as their callers do (Dapr's `--app-max-concurrency`: it queues and
 * never refuses). What bounds the queue is the number of connections the
 * servers accept.
 */
export interface ConcurrencyGate {
  send(upstream: Upstream, call: OutgoingCall, sink: AnswerSink): Flow;
}

export function createGate(limit: number): ConcurrencyGate {
  let active = 0;
  const waiting = new Set<GatedCall>();

  const leave = (): void => {
    active -= 1;
    for (const next of waiting) {
      waiting.delete(next);
      active += 1;
      next.start();
      return;
    }
  };

  return {
    send(upstream, call, sink) {
      const gated = new GatedCall(upstream, call, sink, leave, (one) => waiting.delete(one));
      if (active < limit) {
        active += 1;
        gated.start();
      } else waiting.add(gated);
      return gated;
    },
  };
}

/** A call in the application or in front of it; it leaves exactly once. */
class GatedCall implements Flow, AnswerSink {
  readonly #upstream: Upstream;
  readonly #call: OutgoingCall;
  readonly #sink: AnswerSink;
  readonly #leave: () => void;
  readonly #giveUpWaiting: (self: GatedCall) => void;
  #flow: Flow | undefined;
  #left = false;

  constructor(
    upstream: Upstream,
    call: OutgoingCall,
    sink: AnswerSink,
    leave: () => void,
    giveUpWaiting: (self: GatedCall) => void,
  ) {
    this.#upstream = upstream;
    this.#call = call;
    this.#sink = sink;
    this.#leave = leave;
    this.#giveUpWaiting = giveUpWaiting;
  }

  start(): void {
    this.#flow = this.#upstream.send(this.#call, this);
  }

  pause(): void {
    this.#flow?.pause();
  }

  resume(): void {
    this.#flow?.resume();
  }

  abort(reason: Error): void {
    if (this.#flow === undefined) this.#giveUpWaiting(this);
    else {
      this.#flow.abort(reason);
      this.#goOut();
    }
  }

  head(status: number, headers: string[], _flow: Flow): void {
    this.#sink.head(status, headers, this);
  }

  data(chunk: Buffer): void {
    this.#sink.data(chunk);
  }

  end(last: Buffer | null): void {
    this.#goOut();
    this.#sink.end(last);
  }

  fail(error: Error): void {
    this.#goOut();
    this.#sink.fail(error);
  }

  #goOut(): void {
    if (this.#left) return;
    this.#left = true;
    this.#leave();
  }
}

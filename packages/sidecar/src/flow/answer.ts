import type { Readable } from 'node:stream';

/**
 * One call on its way out of this process: to the application, to another
 * sidecar or to an address outside. Headers are `name, value, name, value …`
 * with names in lower case, end-to-end headers only, in the order they are sent.
 */
export interface OutgoingCall {
  readonly method: string;
  /** Path and query as they go on the wire; begins with `/`. */
  readonly path: string;
  readonly headers: readonly string[];
  /** A buffer can be sent again, a stream cannot. */
  readonly body: Buffer | Readable | null;
  /** Of events for the application, as its subscription has them: the topic, whatever the event says, and the path. Not for HTTP. */
  readonly subscribed?: {
    readonly topic: string;
    readonly path: string;
    /** Unless it is several events, which are in the body. */
    readonly event?: Readonly<Record<string, unknown>>;
  };
}

/** The handle on a call that was sent: who receives its answer may slow it down or give it up. */
export interface Flow {
  pause(): void;
  resume(): void;
  /** Gives the call up. The sink hears nothing more. Does nothing once the answer has ended. */
  abort(reason: Error): void;
}

/**
 * Receives one answer, in this order: `head` once, `data` any number of times,
 * then `end` or `fail` once. `fail` may also come alone, in place of all of it.
 *
 * The same interface is implemented by the client's response, by the frames of
 * a peer's connection and by an attempt that a policy is still looking at, so
 * that bytes pass from one to the next without a stream in between.
 */
export interface AnswerSink {
  /**
   * Headers as in `OutgoingCall`; the array is the sink's to keep and to change.
   * `whole`: all that follows does so before anything else happens.
   */
  head(status: number, headers: string[], flow: Flow, whole?: boolean): void;
  data(chunk: Buffer): void;
  /** `last` spares small answers a `data`: head and body then leave in one write. */
  end(last: Buffer | null): void;
  /** What was passed on until now is not the whole answer and must not look like it. */
  fail(error: Error): void;
}

/** Whatever calls can be sent to. */
export interface Upstream {
  /** Never throws: what goes wrong, also at once, is the sink's `fail`. */
  send(call: OutgoingCall, sink: AnswerSink): Flow;
}

import type { AnswerSink, Flow } from './answer.ts';
import type { PlainConnection } from './plain-connection.ts';
import type { RequestText } from './request-text.ts';

/** One call over a plain connection, from when it is asked for to the end of its answer. */
export class PlainFlow implements Flow {
  readonly request: RequestText;
  readonly sink: AnswerSink;
  /** Absent while it waits for one. */
  connection: PlainConnection | undefined;
  /** Where it waits, while it does. */
  queue: Set<PlainFlow> | undefined;
  /** Nobody wants to hear more of it, or there is no more. */
  done = false;

  constructor(request: RequestText, sink: AnswerSink) {
    this.request = request;
    this.sink = sink;
  }

  // Once it is done its connection carries somebody else's call.
  pause(): void {
    if (!this.done) this.connection?.pause();
  }

  resume(): void {
    if (!this.done) this.connection?.resume();
  }

  abort(): void {
    if (this.done) return;
    this.done = true;
    this.queue?.delete(this);
    this.connection?.destroy();
  }

  fail(error: Error): void {
    if (this.done) return;
    this.done = true;
    this.sink.fail(error);
  }
}

import type { Clock } from '@holdfast/core';
import type { CountExchange } from '../metrics/sidecar-metrics.ts';
import type { AnswerSink, Flow, OutgoingCall } from './answer.ts';
import { verbWord } from './go-words.ts';
import { UpstreamError } from './upstream-error.ts';

/** Counts one exchange over HTTP however it ends, and words a failure as Go's http client does: verb, URL, reason. */
export class ExchangeSink implements AnswerSink {
  readonly #sink: AnswerSink;
  readonly #origin: string;
  readonly #call: OutgoingCall;
  readonly #clock: Clock;
  readonly #called: CountExchange;
  readonly #startedMs: number;
  #status = 0;
  #bytes = 0;

  constructor(
    sink: AnswerSink,
    origin: string,
    call: OutgoingCall,
    clock: Clock,
    called: CountExchange,
  ) {
    this.#sink = sink;
    this.#origin = origin;
    this.#call = call;
    this.#clock = clock;
    this.#called = called;
    this.#startedMs = clock.now();
  }

  head(status: number, headers: string[], flow: Flow): void {
    this.#status = status;
    this.#sink.head(status, headers, flow);
  }

  data(chunk: Buffer): void {
    this.#bytes += chunk.length;
    this.#sink.data(chunk);
  }

  end(last: Buffer | null): void {
    this.#bytes += last?.length ?? 0;
    this.#count();
    this.#sink.end(last);
  }

  fail(error: Error): void {
    this.#count();
    if (!(error instanceof UpstreamError)) {
      this.#sink.fail(error);
      return;
    }
    const { method, path } = this.#call;
    const message = `${verbWord(method)} "${this.#origin}${path}": ${error.message}`;
    this.#sink.fail(new UpstreamError(error.code, message, error));
  }

  #count(): void {
    const { method, path, body } = this.#call;
    this.#called(
      method,
      withoutQuery(path),
      // No answer counts as one, as in Dapr.
      this.#status || 500,
      this.#clock.now() - this.#startedMs,
      // A body that streams has no size before its end; Dapr counts none at all.
      Buffer.isBuffer(body) ? body.length : 0,
      this.#bytes,
    );
  }
}

/** The path as metrics show it: queries differ with every call, and may hold what is nobody's business. */
function withoutQuery(path: string): string {
  const query = path.indexOf('?');
  return query < 0 ? path : path.slice(0, query);
}

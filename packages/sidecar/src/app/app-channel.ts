import type { Clock } from '@holdfast/core';
import type { AnswerSink, Flow, OutgoingCall, Upstream } from '../flow/answer.ts';
import { verbWord } from '../flow/go-words.ts';
import { HttpUpstream } from '../flow/http-upstream.ts';
import { UpstreamError } from '../flow/upstream-error.ts';
import type { CountExchange } from '../metrics/sidecar-metrics.ts';
import { type ConcurrencyGate, createGate } from './concurrency-gate.ts';

export interface AppChannelOptions {
  /** Absent: the application cannot be called. */
  readonly port: number | undefined;
  readonly address: string;
  /** Calls in the application at a time; others wait. -1: no limit. */
  readonly maxConcurrency: number;
  /** Sent to the application as `dapr-api-token`. */
  readonly token: string | undefined;
  readonly clock: Clock;
  readonly called: CountExchange;
}

/** The way to our own application. */
export class AppChannel implements Upstream {
  /** Set by the health checks; calls are refused while it is false. */
  healthy = true;
  readonly #http: HttpUpstream | undefined;
  /** Our way to it, through middleware. */
  #way: Upstream | undefined;
  readonly #gate: ConcurrencyGate | undefined;
  readonly #token: string | undefined;
  readonly #clock: Clock;
  readonly #called: CountExchange;

  constructor(options: AppChannelOptions) {
    const { port, address } = options;
    this.#clock = options.clock;
    this.#called = options.called;
    this.#http = port === undefined ? undefined : new HttpUpstream(`http://${address}:${port}`);
    this.#way = this.#http;
    this.#gate = options.maxConcurrency > 0 ? createGate(options.maxConcurrency) : undefined;
    this.#token = options.token;
  }

  /** Whether there is an application to call at all. */
  get initialized(): boolean {
    return this.#http !== undefined;
  }

  /** Puts something in the way of all calls but health probes. */
  through(wrap: (upstream: Upstream) => Upstream): void {
    if (this.#http !== undefined) this.#way = wrap(this.#http);
  }

  send(call: OutgoingCall, sink: AnswerSink): Flow {
    const http = this.#http;
    const way = this.#way;
    if (http === undefined || way === undefined)
      return refuse(sink, 'app channel is not initialized');
    if (!this.healthy) return refuse(sink, 'app is not in a healthy state');
    const worded = new AppSink(sink, http.address, call, this.#clock, this.#called);
    const authorized = this.#token === undefined ? call : withToken(call, this.#token);
    return this.#gate === undefined
      ? way.send(authorized, worded)
      : this.#gate.send(way, authorized, worded);
  }

  /** For health probes: past the gate, and whether it is healthy or not. */
  get probe(): Upstream {
    const http = this.#http;
    return http ?? { send: (_call, sink) => refuse(sink, 'app channel is not initialized') };
  }

  async close(): Promise<void> {
    await this.#http?.close();
  }
}

function refuse(sink: AnswerSink, why: string): Flow {
  // Later, so that the caller has its handle before it hears the news.
  queueMicrotask(() => sink.fail(new UpstreamError('REFUSED', why)));
  return { pause() {}, resume() {}, abort() {} };
}

function withToken(call: OutgoingCall, token: string): OutgoingCall {
  const headers: string[] = [];
  for (let at = 0; at + 1 < call.headers.length; at += 2) {
    const name = call.headers[at]!;
    if (name !== 'dapr-api-token') headers.push(name, call.headers[at + 1]!);
  }
  headers.push('dapr-api-token', token);
  return { ...call, headers };
}

/** Counts the answers, and words failures as Go's http client does: verb, URL, reason. */
class AppSink implements AnswerSink {
  readonly #sink: AnswerSink;
  readonly #address: string;
  readonly #call: OutgoingCall;
  readonly #clock: Clock;
  readonly #called: CountExchange;
  readonly #startedMs: number;
  #status = 0;
  #bytes = 0;

  constructor(
    sink: AnswerSink,
    address: string,
    call: OutgoingCall,
    clock: Clock,
    called: CountExchange,
  ) {
    this.#sink = sink;
    this.#address = address;
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
    const { method, path, body } = this.#call;
    this.#called(
      method,
      withoutQuery(path),
      this.#status,
      this.#clock.now() - this.#startedMs,
      // A body that streams has no size before its end; Dapr counts none at all.
      Buffer.isBuffer(body) ? body.length : 0,
      this.#bytes + (last?.length ?? 0),
    );
    this.#sink.end(last);
  }

  fail(error: Error): void {
    if (!(error instanceof UpstreamError)) {
      this.#sink.fail(error);
      return;
    }
    const { method, path } = this.#call;
    const message = `${verbWord(method)} "http://${this.#address}${path}": ${error.message}`;
    this.#sink.fail(new UpstreamError(error.code, message, error));
  }
}

/** The path as metrics show it: queries differ with every call, and may hold what is nobody's business. */
function withoutQuery(path: string): string {
  const query = path.indexOf('?');
  return query < 0 ? path : path.slice(0, query);
}

import { childOf, formatTraceparent, parseTraceparent } from '@holdfast/core/trace';
import type { AppChannel } from '../app/app-channel.ts';
import type { AnswerSink, Flow, OutgoingCall, Upstream } from '../flow/answer.ts';
import { UpstreamError } from '../flow/upstream-error.ts';
import type { PeerCounts } from '../metrics/sidecar-metrics.ts';

export interface CalleeOptions {
  readonly appId: string;
  readonly app: AppChannel;
  readonly traced: boolean;
  readonly counts: PeerCounts;
}

/** What a call from another sidecar meets: our application, if the call is for it. */
export class Callee implements Upstream {
  readonly #options: CalleeOptions;

  constructor(options: CalleeOptions) {
    this.#options = options;
  }

  send(call: OutgoingCall, sink: AnswerSink): Flow {
    const { appId, app, counts, traced } = this.#options;
    const headers = call.headers as string[];
    const meant = header(headers, 'dapr-callee-app-id');
    // Ports are used again: a caller with an old address must not reach a stranger.
    if (meant !== appId) {
      queueMicrotask(() =>
        sink.fail(new UpstreamError('REFUSED', `this is the sidecar of ${appId}, not of ${meant}`)),
      );
      return { pause() {}, resume() {}, abort() {} };
    }
    if (traced) ownSpan(headers);
    const caller = header(headers, 'dapr-caller-app-id') ?? '';
    counts.received(caller);
    return app.send(call, new CountedSink(sink, (status) => counts.answered(caller, status)));
  }
}

/** This hop is a span of its own: the application's parent is it, not the caller's. */
function ownSpan(headers: string[]): void {
  // The caller puts it last, so look from the end.
  for (let at = headers.length - 2; at >= 0; at -= 2) {
    if (headers[at] !== 'traceparent') continue;
    const parent = parseTraceparent(headers[at + 1]);
    if (parent !== undefined) headers[at + 1] = formatTraceparent(childOf(parent));
    return;
  }
}

function header(headers: readonly string[], name: string): string | undefined {
  for (let at = headers.length - 2; at >= 0; at -= 2) {
    if (headers[at] === name) return headers[at + 1];
  }
  return undefined;
}

/** gRPC's code for "the sidecar itself failed", which is how Dapr counts it. */
const INTERNAL = 13;

class CountedSink implements AnswerSink {
  readonly #sink: AnswerSink;
  readonly #count: (status: number) => void;

  constructor(sink: AnswerSink, count: (status: number) => void) {
    this.#sink = sink;
    this.#count = count;
  }

  head(status: number, headers: string[], flow: Flow): void {
    this.#count(status);
    this.#sink.head(status, headers, flow);
  }

  data(chunk: Buffer): void {
    this.#sink.data(chunk);
  }

  end(last: Buffer | null): void {
    this.#sink.end(last);
  }

  fail(error: Error): void {
    this.#count(INTERNAL);
    this.#sink.fail(error);
  }
}

import { formatTraceparent } from '@holdfast/core/trace';
import type { LiveSpan } from '@holdfast/telemetry/trace';
import type { AccessGate } from '../access/access-gate.ts';
import type { AppChannel } from '../app/app-channel.ts';
import { RPC_VERB } from '../app/rpc-answer.ts';
import type { AnswerSink, Flow } from '../flow/answer.ts';
import { headerPairs } from '../flow/headers/header-pairs.ts';
import { UpstreamError, type UpstreamErrorCode } from '../flow/upstream-error.ts';
import type { PeerCounts } from '../metrics/sidecar-metrics.ts';
import { showMetadata } from '../trace/rpc-span.ts';
import { recorded, type Tracing } from '../trace/tracing.ts';
import type { PeerCall, PeerCallee } from './peer-transport.ts';
import { formatSpiffeId } from './spiffe-id.ts';

export interface CalleeOptions {
  readonly appId: string;
  readonly app: AppChannel;
  readonly tracing: Tracing;
  readonly counts: PeerCounts;
  /** Who may call what of the application. */
  readonly access: AccessGate;
}

/** What a call from another sidecar meets: our application, if the call is for it. */
export class Callee implements PeerCallee {
  readonly #options: CalleeOptions;

  constructor(options: CalleeOptions) {
    this.#options = options;
  }

  send(call: PeerCall, sink: AnswerSink): Flow {
    const { appId, access, app, counts, tracing } = this.#options;
    const headers = call.headers as string[];
    const meant = header(headers, 'dapr-callee-app-id');
    // Ports are used again: a caller with an old address must not reach a stranger.
    if (meant !== appId) {
      return refuse(sink, `this is the sidecar of ${appId}, not of ${meant}`);
    }
    const { callerId } = call;
    if (callerId !== undefined) {
      const app = header(headers, 'dapr-caller-app-id');
      const namespace = header(headers, 'dapr-caller-namespace');
      if (app !== callerId.appId || namespace !== callerId.namespace) {
        const shown = formatSpiffeId(callerId);
        return refuse(
          sink,
          `the caller says it is ${namespace}/${app}, its certificate is of ${shown}`,
        );
      }
    }
    const span = tracing.on ? this.#ownSpan(call, headers) : undefined;
    const refusal = access.refusal(call);
    if (refusal !== undefined) {
      // Counted by access control, and not as a call, as in Dapr.
      span?.end(refusal);
      return refuse(sink, refusal, 'DENIED');
    }
    const caller = header(headers, 'dapr-caller-app-id') ?? '';
    counts.received(caller);
    const answered = (status: number) => counts.answered(caller, status);
    return app.send(call, new CountedSink(sink, answered, span));
  }

  /** This hop is a span of its own: the application's parent is it, not the caller's. */
  #ownSpan({ method: verb, path }: PeerCall, headers: string[]): LiveSpan | undefined {
    const { appId, tracing } = this.#options;
    // The caller puts it last, so look from the end. A path of health is no part of its trace: then one begins here.
    let at = headers.length - 2;
    while (at >= 0 && headers[at] !== 'traceparent') at -= 2;
    const parent = at < 0 ? undefined : headers[at + 1];
    const method = path.slice(1).split('?', 1)[0] ?? '';
    // gRPC that is passed through has its own name on both sides.
    const passed = verb === RPC_VERB;
    const name = passed ? path : `CallLocal/${appId}/${method}`;
    const span = tracing.begin(name, 'server', parent, header(headers, 'tracestate'));
    if (span === undefined) return undefined;
    if (at < 0) headers.push('traceparent', formatTraceparent(span));
    else headers[at + 1] = formatTraceparent(span);
    const live = recorded(span);
    if (passed) {
      if (live !== undefined) showMetadata(live, headerPairs(headers));
      return live;
    }
    live?.set('dapr.protocol', 'grpc');
    // Dapr's name of the leg between sidecars, whatever ours is made of: dashboards know it.
    live?.set('dapr.api', '/dapr.proto.internals.v1.ServiceInvocation/CallLocalStream');
    live?.set('dapr.invoke_method', method);
    live?.set('rpc.service', 'ServiceInvocation');
    return live;
  }
}

function refuse(sink: AnswerSink, why: string, code: UpstreamErrorCode = 'REFUSED'): Flow {
  queueMicrotask(() => sink.fail(new UpstreamError(code, why)));
  return { pause() {}, resume() {}, abort() {} };
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
  readonly #span: LiveSpan | undefined;

  constructor(sink: AnswerSink, count: (status: number) => void, span: LiveSpan | undefined) {
    this.#sink = sink;
    this.#count = count;
    this.#span = span;
  }

  head(status: number, headers: string[], flow: Flow): void {
    this.#count(status);
    this.#span?.set('http.response.status_code', status);
    this.#sink.head(status, headers, flow);
  }

  data(chunk: Buffer): void {
    this.#sink.data(chunk);
  }

  end(last: Buffer | null): void {
    this.#span?.end();
    this.#sink.end(last);
  }

  fail(error: Error): void {
    this.#count(INTERNAL);
    this.#span?.end(error.message);
    this.#sink.fail(error);
  }
}

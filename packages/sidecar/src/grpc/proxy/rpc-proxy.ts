import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import { Code } from '@connectrpc/connect';
import { type Clock, isPolicyError } from '@holdfast/core';
import { formatTraceparent } from '@holdfast/core/trace';
import { isStream } from '../../app/pass-rpc.ts';
import { RPC_VERB } from '../../app/rpc-answer.ts';
import { isHopByHop } from '../../flow/headers/hop-by-hop.ts';
import { withoutCredentials } from '../../flow/headers/without-credentials.ts';
import { UpstreamError } from '../../flow/upstream-error.ts';
import { countAttempt } from '../../invoke/count-attempt.ts';
import type { CallerIdentity } from '../../invoke/forward-headers.ts';
import { Invocation } from '../../invoke/invocation.ts';
import { failureWords, refusalHeaders } from '../../invoke/invoke-error.ts';
import type { Destination, Upstreams } from '../../invoke/upstreams.ts';
import type { SidecarMetrics } from '../../metrics/sidecar-metrics.ts';
import type { PolicyBook } from '../../policies/policy-book.ts';
import { badBaggage } from '../../trace/baggage.ts';
import { showMetadata } from '../../trace/rpc-span.ts';
import { parentOf } from '../../trace/trace-bin.ts';
import { recorded, type Span, type Tracing } from '../../trace/tracing.ts';
import { absentRpc } from '../api/absent-rpc.ts';
import type { LogRpc } from '../rpc-log.ts';
import { parseRpcError, statusName } from '../status/rpc-status.ts';
import { MessageTooLargeError } from '../wire/message-scanner.ts';
import { ProxiedAnswer } from './proxied-answer.ts';
import { ReplayedBody, RetriedStreamError } from './replayed-body.ts';
import { readRpcTimeout } from './rpc-timeout.ts';

export interface RpcProxyOptions {
  readonly caller: CallerIdentity;
  readonly upstreams: Upstreams;
  readonly book: PolicyBook;
  readonly metrics: SidecarMetrics;
  readonly tracing: Tracing;
  readonly clock: Clock;
  readonly logCall: LogRpc;
  readonly allowed: (token: string | undefined) => boolean;
  readonly tokenRequired: boolean;
  /** Longest message either way. */
  readonly maxBodyBytes: number;
}

const DAPR = '/dapr.proto.runtime.v1.Dapr/';

/** gRPC calls of any service, passed on to the app that their metadata name. */
export class RpcProxy {
  readonly #options: RpcProxyOptions;

  constructor(options: RpcProxyOptions) {
    this.#options = options;
  }

  handle(req: Http2ServerRequest, res: Http2ServerResponse): void {
    const type = String(req.headers['content-type'] ?? '');
    if (req.method !== 'POST' || !type.startsWith('application/grpc')) {
      res.writeHead(415, { 'content-type': 'text/plain' });
      res.end('this port speaks gRPC; the HTTP API is at --dapr-http-port');
      return;
    }
    const answer = new ProxiedAnswer(res, this.#options.maxBodyBytes);
    const token = headerOf(req, 'dapr-api-token');
    if (!this.#options.allowed(token)) {
      answer.refuse(Code.Unauthenticated, 'Unauthorized');
      return;
    }
    const timeout = readRpcTimeout(headerOf(req, 'grpc-timeout'));
    if ('bad' in timeout) {
      answer.refuse(Code.Internal, timeout.bad);
      return;
    }
    // Only where there are traces is it looked at, as in Dapr.
    const baggage = this.#options.tracing.on ? headerOf(req, 'baggage') : undefined;
    const bad = badBaggage(baggage);
    if (bad !== undefined) {
      answer.refuse(Code.InvalidArgument, bad);
      return;
    }
    answer.baggage = baggage;
    const id = headerOf(req, 'dapr-callee-app-id') || headerOf(req, 'dapr-app-id') || '';
    const absent = absentRpc(req.url);
    if (absent !== undefined) {
      answer.refuse(absent.code, absent.message);
    } else if (id === '') {
      answer.refuse(
        Code.Unknown,
        req.url.startsWith(DAPR)
          ? 'failed to proxy request: required metadata dapr-callee-app-id or dapr-app-id not found'
          : 'cannot proxy request: missing dapr-callee-app-id or dapr-app-id metadata',
      );
    } else this.#pass(req, res, { id, timeoutMs: timeout.ms }, answer);
  }

  #pass(
    req: Http2ServerRequest,
    res: Http2ServerResponse,
    { id, timeoutMs }: { readonly id: string; readonly timeoutMs: number | undefined },
    answer: ProxiedAnswer,
  ): void {
    const { book, clock, logCall, maxBodyBytes, metrics, tracing, upstreams } = this.#options;
    const destination = upstreams.find(id);
    if (destination.kind === 'refused') {
      answer.refuse(Code.Unknown, withoutCredentials(destination.why));
      return;
    }
    if (destination.kind === 'outside') {
      answer.refuse(
        Code.Unimplemented,
        `gRPC cannot be passed on to ${withoutCredentials(id)}: it is an HTTP endpoint`,
      );
      return;
    }
    const path = req.url;
    const stream = isStream(['dapr-stream', headerOf(req, 'dapr-stream') ?? '']);
    const target = book.forTarget(id).forMethod('POST', path.slice(1));
    const policies = target.pipelineFor(path);
    // A stream is not sent again, and lasts as long as it likes: to the policies it has done well
    // as soon as it has begun, as in Dapr.
    const pipeline = stream ? undefined : policies;
    const admitted = stream ? policies?.admit() : undefined;
    const span = tracing.on ? this.#span(req, path, destination) : undefined;
    const repeatable = pipeline !== undefined && target.policies.retry !== undefined;
    const body = new ReplayedBody(req, maxBodyBytes, repeatable);
    const unlisted = !target.policies.listed && destination.kind === 'peer';
    const invocation = new Invocation({
      method: RPC_VERB,
      path,
      headers: this.#headers(req, span, destination.kind === 'peer' ? destination.appId : id),
      destination,
      body,
      repeatable,
      pipeline,
      builtIn: unlisted ? book.builtInRetries : undefined,
      upstreams,
      span: recorded(span),
      count: (appId) => countAttempt(this.#options, appId, stream ? 'streaming' : 'unary'),
    });
    res.on('close', () => {
      if (answer.ended) return;
      invocation.abandon();
      answer.gone();
    });
    if (policies !== undefined) metrics.applied(id, target.policies, undefined);
    const began = clock.now();
    const ended = (code: number): void => {
      const status = statusName(code);
      const ms = clock.now() - began;
      metrics.servedRpc(path, status, ms);
      recorded(span)?.end(status === 'OK' ? undefined : status);
      logCall(path, code, ms, headerOf(req, 'user-agent') ?? null, span);
    };
    // Its client has given up by then; what it is told ends what is still under way for it.
    const late = (): void => {
      invocation.abandon();
      answer.refuse(Code.DeadlineExceeded, 'context deadline exceeded');
    };
    const timer = timeoutMs === undefined ? undefined : clock.timer(timeoutMs, late);
    answer.onEnd = (code) => {
      timer?.cancel();
      ended(code);
    };
    const run = () => invocation.run();
    (admitted === undefined ? run() : admitted.then(run)).then(
      (pending) => pending.forwardTo(answer),
      (error: unknown) => {
        const { code, message } = failureOf(error);
        const more = isPolicyError(error) ? refusalHeaders(error) : [];
        answer.refuse(code, message, [...more, 'holdfast-attempts', String(invocation.attempts)]);
      },
    );
  }

  #span(req: Http2ServerRequest, path: string, { kind }: Destination): Span | undefined {
    const parent = parentOf(headerOf(req, 'grpc-trace-bin'), headerOf(req, 'traceparent'));
    const { tracing } = this.#options;
    const span = tracing.begin(
      path,
      kind === 'peer' ? 'client' : 'server',
      parent,
      headerOf(req, 'tracestate'),
    );
    const live = recorded(span);
    if (live !== undefined) showMetadata(live, Object.entries(req.headers) as [string, string][]);
    return span;
  }

  #headers(req: Http2ServerRequest, span: Span | undefined, calleeAppId: string): string[] {
    const { caller, tokenRequired } = this.#options;
    const headers: string[] = [];
    for (let at = 0; at + 1 < req.rawHeaders.length; at += 2) {
      const name = req.rawHeaders[at]!;
      if (name.startsWith(':') || isHopByHop(name) || OURS.has(name)) continue;
      if (name === 'dapr-api-token' && tokenRequired) continue;
      if (span !== undefined && TRACE.has(name)) continue;
      headers.push(name, req.rawHeaders[at + 1]!);
    }
    headers.push('dapr-caller-app-id', caller.appId, 'dapr-caller-namespace', caller.namespace);
    headers.push('dapr-callee-app-id', calleeAppId);
    if (span?.state !== undefined) headers.push('tracestate', span.state);
    if (span !== undefined) headers.push('traceparent', formatTraceparent(span));
    return headers;
  }
}

/** Who calls whom is the sidecar's to say. */
const OURS = new Set([
  'dapr-app-id',
  'dapr-callee-app-id',
  'dapr-caller-app-id',
  'dapr-caller-namespace',
  'content-length',
]);
const TRACE = new Set(['traceparent', 'tracestate', 'grpc-trace-bin']);

function headerOf(req: Http2ServerRequest, name: string): string | undefined {
  const value = req.headers[name];
  return Array.isArray(value) ? value[0] : value;
}

/** What a call that brought no answer is to its client. */
function failureOf(error: unknown): { readonly code: Code; readonly message: string } {
  const message = failureWords(error);
  if (isPolicyError(error)) {
    const late = error.code === 'TIMED_OUT' || error.code === 'DEADLINE_EXCEEDED';
    const circuit = error.code === 'CIRCUIT_OPEN' || error.code === 'CIRCUIT_BUSY';
    const code = late ? Code.DeadlineExceeded : circuit ? Code.Unknown : Code.ResourceExhausted;
    return { code, message };
  }
  if (error instanceof RetriedStreamError) return { code: Code.FailedPrecondition, message };
  if (error instanceof MessageTooLargeError) return { code: Code.ResourceExhausted, message };
  const said = parseRpcError(message);
  if (said !== undefined) return said;
  if (!(error instanceof UpstreamError)) return { code: Code.Unknown, message };
  switch (error.code) {
    case 'UNREACHABLE':
    case 'BROKEN':
      return { code: Code.Unavailable, message };
    case 'REFUSED':
      return { code: Code.Internal, message };
    case 'DENIED':
      return { code: Code.PermissionDenied, message };
    case 'NO_ADDRESS':
      return { code: Code.Unknown, message };
  }
}

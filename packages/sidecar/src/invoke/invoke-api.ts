import { type Clock, isPolicyError } from '@holdfast/core';
import type { LiveSpan } from '@holdfast/telemetry/trace';
import { withoutRpcHeaders } from '../app/rpc-answer.ts';
import type { AnswerSink, Flow } from '../flow/answer.ts';
import { ClientAnswer } from '../flow/client-answer.ts';
import { headerValue } from '../flow/headers/header-value.ts';
import type { PendingAnswer } from '../flow/pending-answer.ts';
import {
  type BodyLimits,
  BodyStream,
  BodyTooLargeError,
  collectBody,
} from '../flow/request-body.ts';
import { unescaped } from '../flow/unescaped.ts';
import { ClientGoneError } from '../flow/upstream-error.ts';
import type { SidecarMetrics } from '../metrics/sidecar-metrics.ts';
import { cacheKeyOf } from '../policies/cache-key.ts';
import type { PolicyBook } from '../policies/policy-book.ts';
import type { TargetPipelines } from '../policies/target-pipelines.ts';
import type { ApiCall } from '../server/api-call.ts';
import { nameInvocation } from '../trace/api-span.ts';
import { pushTrace, recorded } from '../trace/tracing.ts';
import { countAttempt } from './count-attempt.ts';
import { type CallerIdentity, forwardHeaders, outsideHeaders } from './forward-headers.ts';
import { Invocation } from './invocation.ts';
import { type InvokeAnswer, invokeAnswer, latin1, NO_APP_ID } from './invoke-error.ts';
import { cleanMethodPath } from './method-path.ts';
import type { ReplayBudget } from './replay-budget.ts';
import { findTarget } from './target.ts';
import { answerTooLarge } from './too-large.ts';
import type { Destination, Upstreams } from './upstreams.ts';

export interface InvokeApiOptions extends BodyLimits {
  readonly caller: CallerIdentity;
  readonly upstreams: Upstreams;
  readonly book: PolicyBook;
  readonly metrics: SidecarMetrics;
  readonly replay: ReplayBudget;
  /** Whether a token is asked of clients: then theirs stays here. */
  readonly tokenRequired: boolean;
  readonly clock: Clock;
}

/** Bodies up to this are read whole: one write is cheaper than a stream. */
const SMALL_BODY_BYTES = 16 * 1024;

type Reachable = Exclude<Destination, { readonly kind: 'refused' }>;
type Body = Buffer | null | { next(): BodyStream | undefined };

/** A call, and what its path has been found to mean. */
interface Aim {
  readonly call: ApiCall;
  /** The target as the caller names it. */
  readonly id: string;
  readonly method: string;
  readonly destination: Reachable;
}

/** The invocation API: from an HTTP request to its target through the policies, and back. */
export class InvokeApi {
  readonly #options: InvokeApiOptions;

  constructor(options: InvokeApiOptions) {
    this.#options = options;
  }

  /** Answers every request that no other route answers. */
  handle(call: ApiCall): void {
    const { head } = call;
    const target = findTarget(head.path, head.appId, head.authorization);
    if (target === undefined) {
      answer(call, NO_APP_ID);
      return;
    }
    const method = cleanMethodPath(target.method);
    const live = recorded(call.span);
    if (live !== undefined && !('refused' in method)) nameInvocation(live, target.id, method.path);
    if ('refused' in method) {
      const why = `rpc error: code = InvalidArgument desc = ${method.refused}`;
      answer(call, { ...invokeAnswer(target.id, new Error(why), 0), status: method.status });
      return;
    }
    const destination = this.#options.upstreams.find(target.id);
    if (destination.kind === 'refused') {
      answer(call, invokeAnswer(target.id, new Error(destination.why), 0));
      return;
    }
    const { maxBodyBytes } = this.#options;
    if (head.bodyLength > maxBodyBytes) {
      const error = new BodyTooLargeError(maxBodyBytes);
      answerTooLarge(call, invokeAnswer(target.id, error, 0), this.#options.clock);
      return;
    }
    this.#begin({ call, id: target.id, method: method.path, destination });
  }

  #begin(aim: Aim): void {
    const { call, id, method } = aim;
    const policies = this.#options.book.forTarget(id).forMethod(call.head.method, method);
    const { bodyLength } = call.head;
    if (bodyLength === 0) {
      this.#run(aim, policies, null);
      return;
    }
    const held = this.#hold(bodyLength, policies);
    if (!held) {
      this.#run(aim, policies, streamedBody(call, this.#options));
      return;
    }
    collectBody(call.req, this.#options)
      .then((body) => this.#run(aim, policies, body))
      .catch((error: unknown) => this.#failed(call, id, error, 0));
    call.res.once('close', () => this.#options.replay.release(held));
  }

  /** Bytes to hold for a body that may be sent again, or that is small anyway; 0: it streams. */
  #hold(bodyLength: number, { policies }: TargetPipelines): number {
    if (bodyLength < 0) return 0;
    if (bodyLength <= SMALL_BODY_BYTES) return this.#options.replay.take(bodyLength);
    return policies.retry === undefined ? 0 : this.#options.replay.take(bodyLength);
  }

  #run({ call, id, method, destination }: Aim, target: TargetPipelines, body: Body): void {
    const { upstreams, book, metrics } = this.#options;
    const streaming = call.head.bodyLength < 0;
    const oneCircuit = destination.kind === 'outside' && destination.oneCircuit;
    // One method is one circuit, with escapes or without, as in Dapr.
    const pipeline = target.pipelineFor(oneCircuit ? '' : unescaped(method));
    const unlisted = !target.policies.listed && destination.kind === 'peer' && !streaming;
    const path = this.#path(call, method, destination);
    const invocation = new Invocation({
      method: call.head.method,
      path,
      headers: this.#headers(call, destination, body),
      destination,
      body,
      pipeline,
      cacheKey: target.policies.cache === undefined ? undefined : this.#cacheKey(call, path),
      builtIn: unlisted ? book.builtInRetries : undefined,
      upstreams,
      span: recorded(call.span),
      count: (appId) => countAttempt(this.#options, appId, streaming ? 'streaming' : 'unary'),
    });
    call.res.on('close', () => {
      if (!call.res.writableFinished) invocation.abandon();
    });
    if (pipeline !== undefined) metrics.applied(id, target.policies, undefined);
    invocation.run().then(
      (pending) => this.#passOn(call, id, pending, invocation),
      (error: unknown) => this.#failed(call, id, error, invocation.attempts),
    );
  }

  /** A token that goes on to the application may decide what it answers. */
  #cacheKey({ head }: ApiCall, path: string): string | undefined {
    const passedOn = head.apiToken !== undefined && !this.#options.tokenRequired;
    return passedOn ? undefined : cacheKeyOf(head, path);
  }

  #passOn(call: ApiCall, id: string, pending: PendingAnswer, invocation: Invocation): void {
    const { attempts, degraded } = invocation;
    const { clock, stallMs } = this.#options;
    if (call.res.destroyed) {
      pending.discard();
      return;
    }
    const client = new ClientAnswer(call.res, clock, stallMs, (error) =>
      this.#failed(call, id, error, attempts),
    );
    try {
      pending.forwardTo(new Decorated(call, client, attempts, degraded));
    } catch (error) {
      // An answer that cannot be written (a peer may send anything) costs one request.
      call.failed(error);
    }
  }

  #failed(call: ApiCall, id: string, error: unknown, attempts: number): void {
    if (error instanceof ClientGoneError || call.res.destroyed || call.res.headersSent) return;
    const failure = invokeAnswer(id, error, attempts);
    noteRefusal(recorded(call.span), error);
    if (failure.status === 413) answerTooLarge(call, failure, this.#options.clock);
    else answer(call, failure);
  }

  #path({ head }: ApiCall, method: string, destination: Reachable): string {
    const base = destination.kind === 'outside' ? destination.basePath : '';
    const slash = base === '' || method !== '' ? '/' : '';
    return `${base}${slash}${method}${head.query}`;
  }

  #headers({ head, span }: ApiCall, destination: Reachable, body: Body): string[] {
    const { caller, tokenRequired } = this.#options;
    const own = forwardHeaders(head, {
      passToken: !tokenRequired,
      bodyLength: head.bodyLength,
      body: body === null ? 'none' : head.bodyLength < 0 ? 'chunked' : 'sized',
      via: destination.kind === 'peer' ? { caller, calleeAppId: destination.appId } : undefined,
    });
    const headers = destination.kind === 'outside' ? outsideHeaders(own, destination) : own;
    if (span !== undefined) pushTrace(headers, span);
    else if (head.traceparent !== undefined) {
      headers.push('traceparent', head.traceparent);
      if (head.tracestate !== undefined) headers.push('tracestate', head.tracestate);
    }
    return headers;
  }
}

function answer(call: ApiCall, { status, body, headers }: InvokeAnswer): void {
  call.json(status, body, headers);
}

/** Says in the trace which policy said no, and when to come back. */
function noteRefusal(span: LiveSpan | undefined, error: unknown): void {
  if (span === undefined || !isPolicyError(error)) return;
  const { code, policy, retryAfterMs } = error;
  span.event('refused', {
    'holdfast.code': code,
    'holdfast.policy': policy,
    ...(retryAfterMs === undefined ? {} : { 'holdfast.retry_after_ms': retryAfterMs }),
  });
}

/** A body that is passed on as it comes; it can be begun again until its first byte was read. */
function streamedBody(call: ApiCall, limits: BodyLimits): { next(): BodyStream | undefined } {
  let stream: BodyStream | undefined;
  return {
    next() {
      if (stream !== undefined && !stream.untouched) return undefined;
      stream = new BodyStream(call.req, limits);
      return stream;
    },
  };
}

/** The client's answer with what every answer of the sidecar carries. */
class Decorated implements AnswerSink {
  readonly #call: ApiCall;
  readonly #client: ClientAnswer;
  readonly #attempts: number;
  readonly #degraded: string | undefined;

  constructor(call: ApiCall, client: ClientAnswer, attempts: number, degraded: string | undefined) {
    this.#call = call;
    this.#client = client;
    this.#attempts = attempts;
    this.#degraded = degraded;
  }

  head(status: number, headers: string[], flow: Flow, whole?: boolean): void {
    const shown = withoutRpcHeaders(headers);
    // Of what the client has already, the type is known; Go leaves it out as well.
    if (status === 304) dropType(shown);
    this.#call.decorate(shown);
    if (this.#call.head.events) keepOutOfCaches(shown);
    if (this.#attempts > 1) shown.push('holdfast-attempts', String(this.#attempts));
    if (this.#degraded !== undefined) shown.push('holdfast-degraded', latin1(this.#degraded));
    this.#client.head(status, shown, flow, whole);
  }

  data(chunk: Buffer): void {
    this.#call.bytesOut += chunk.length;
    this.#client.data(chunk);
  }

  end(last: Buffer | null): void {
    if (last !== null) this.#call.bytesOut += last.length;
    this.#client.end(last);
  }

  fail(error: Error): void {
    this.#client.fail(error);
  }
}

function dropType(headers: string[]): void {
  for (let at = headers.length - 2; at >= 0; at -= 2) {
    if (headers[at] === 'content-type') headers.splice(at, 2);
  }
}

/** A stream of events is nothing to keep; daprd says so where the application does not. */
function keepOutOfCaches(headers: string[]): void {
  const type = headerValue(headers, 'content-type');
  if (type?.startsWith('text/event-stream') !== true) return;
  if (headerValue(headers, 'cache-control') !== undefined) return;
  headers.push('cache-control', 'no-cache');
}

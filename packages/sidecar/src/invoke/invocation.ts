import type { Readable } from 'node:stream';
import type { Call, Pipeline } from '@holdfast/core';
import type { LiveSpan } from '@holdfast/telemetry/trace';
import type { Flow, OutgoingCall, Upstream } from '../flow/answer.ts';
import { PendingAnswer } from '../flow/pending-answer.ts';
import { ClientGoneError, UpstreamError } from '../flow/upstream-error.ts';
import type { Passage } from '../policies/passage.ts';
import { isUnreachable } from '../policies/policy-book.ts';
import { withTrace } from '../trace/tracing.ts';
import { CallerSignal } from './caller-signal.ts';
import type { Destination, Upstreams } from './upstreams.ts';

/** What one invocation is made of; everything is decided, nothing sent yet. */
export interface InvocationPlan {
  readonly method: string;
  readonly path: string;
  readonly headers: readonly string[];
  readonly destination: Exclude<Destination, { readonly kind: 'refused' }>;
  /** A buffer can be sent again; `next` gives a stream as long as none of it was read. */
  readonly body: Buffer | null | { next(): Readable | undefined };
  /** Whether a stream can be begun again, whatever of it was read. @default false */
  readonly repeatable?: boolean;
  readonly pipeline: Passage | undefined;
  /** Names the answer for a cache; absent: it is not shared. */
  readonly cacheKey?: string | undefined;
  /** Retries of an unreachable peer; undefined where they do not apply. */
  readonly builtIn: Pipeline | undefined;
  readonly upstreams: Upstreams;
  /** The call's, where it is recorded: each attempt is a span inside it. */
  readonly span?: LiveSpan | undefined;
  /** Told of each attempt at another sidecar; what it returns is told the status of the answer. */
  readonly count: (appId: string) => (status: number) => void;
}

/** Verbs that RFC 9110 calls idempotent: twice at a time does no more than once. */
const REPEATABLE = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE']);

/**
 * One invocation through its policies: each attempt sends the call anew, and
 * the answer of the last one is the result. Attempts are counted from 1.
 */
export class Invocation {
  attempts = 0;
  /** The policy whose answer it is, where it is not the application's. */
  degraded: string | undefined;
  readonly #plan: InvocationPlan;
  #flow: Flow | undefined;
  #pending: ((error: Error) => void) | undefined;
  #caller: CallerSignal | undefined;
  #gone = false;
  /** What an attempt that outlives this invocation brought in the end. */
  #answer: PendingAnswer | undefined;

  constructor(plan: InvocationPlan) {
    this.#plan = plan;
  }

  /** The answer whose head has come. Rejects with a policy's error, or with why there is none. */
  run(): Promise<PendingAnswer> {
    const { pipeline, body } = this.#plan;
    if (pipeline === undefined) return this.#send(undefined);
    this.#caller = new CallerSignal();
    const { cacheKey, method, repeatable = false } = this.#plan;
    // A body that streams through cannot be sent twice.
    const idempotent = repeatable || body === null || Buffer.isBuffer(body);
    const passed = pipeline.execute((call) => this.#send(call), {
      signal: this.#caller.asSignal,
      idempotent,
      hedgeable: idempotent && REPEATABLE.has(method),
      cacheKey,
      onDegraded: ({ policy }) => {
        this.degraded = policy;
      },
    });
    return pipeline.detached ? passed.then((answer) => this.#keep(answer)) : passed;
  }

  #keep(answer: PendingAnswer): PendingAnswer {
    this.#answer = answer;
    return answer;
  }

  /** The client has gone: nothing is sent or waited for any more. */
  abandon(): void {
    if (this.#gone) return;
    const error = new ClientGoneError();
    if (this.#plan.pipeline?.detached) {
      // Others may wait for the same attempt: whether it ends is for the policies to say.
      this.#caller?.abort(error);
      this.#answer?.abort(error);
      return;
    }
    this.#gone = true;
    this.#caller?.abort(error);
    this.#flow?.abort(error);
    this.#pending?.(error);
  }

  /** One attempt, with the built-in retries inside it where they apply. */
  #send(call: Call | undefined): Promise<PendingAnswer> {
    const { builtIn } = this.#plan;
    const first = this.#attempt(call);
    return builtIn === undefined
      ? first
      : first.catch((error: unknown) => this.#again(error, call, builtIn));
  }

  /**
   * Entered only when the first attempt found no peer: the success path then
   * pays nothing for the built-in retries.
   */
  async #again(error: unknown, call: Call | undefined, builtIn: Pipeline): Promise<PendingAnswer> {
    if (!isUnreachable(error)) throw error;
    this.#caller ??= new CallerSignal();
    let retries = -1;
    try {
      return await builtIn.execute(
        () => {
          retries += 1;
          return retries === 0 ? Promise.reject(error) : this.#attempt(call);
        },
        { signal: call?.signal ?? this.#caller.asSignal },
      );
    } catch (last) {
      const { destination } = this.#plan;
      if (!isUnreachable(last) || destination.kind !== 'peer') throw last;
      throw new UpstreamError(
        'UNREACHABLE',
        `failed to invoke target ${destination.appId} after ${retries} retries. Error: ${(last as Error).message}`,
      );
    }
  }

  #attempt(call: Call | undefined): Promise<PendingAnswer> {
    if (this.#gone) return Promise.reject(new ClientGoneError());
    this.attempts += 1;
    const { destination, upstreams } = this.#plan;
    if (destination.kind !== 'peer') return this.#dispatch(destination.upstream, call);
    const { appId, namespace } = destination;
    let found: ReturnType<Upstreams['peer']>;
    try {
      found = upstreams.peer(appId, namespace);
    } catch (error) {
      return Promise.reject(error);
    }
    if (found instanceof Promise) {
      return found.then(({ address, upstream }) => this.#toPeer(address, upstream, call));
    }
    return this.#toPeer(found.address, found.upstream, call);
  }

  #toPeer(address: string, upstream: Upstream, call: Call | undefined): Promise<PendingAnswer> {
    return this.#dispatch(upstream, call, address);
  }

  #dispatch(upstream: Upstream, call: Call | undefined, address?: string): Promise<PendingAnswer> {
    return new Promise((resolve, reject) => {
      const { method, path, headers, body: source, destination, upstreams } = this.#plan;
      const body = source === null || Buffer.isBuffer(source) ? source : source.next();
      if (body === undefined) {
        reject(new UpstreamError('BROKEN', 'the body was sent already and cannot be sent again'));
        return;
      }
      const span = this.#attemptSpan(call);
      const failed = (error: Error): void => {
        span?.end(error.message);
        if (address !== undefined && destination.kind === 'peer' && isUnreachable(error)) {
          upstreams.unreachable(destination.appId, destination.namespace, address);
        }
        reject(error);
      };
      const counted = destination.kind === 'peer' ? this.#plan.count(destination.appId) : undefined;
      const answered = (answer: PendingAnswer): void => {
        counted?.(answer.status);
        span?.set('http.response.status_code', answer.status);
        span?.end();
        resolve(answer);
      };
      const outgoing: OutgoingCall = {
        method,
        path,
        headers: span === undefined ? headers : withTrace(headers, span),
        body,
      };
      const flow = upstream.send(outgoing, new PendingAnswer(answered, failed));
      this.#flow = flow;
      this.#pending = reject;
      if (call === undefined) return;
      const detached = this.#plan.pipeline?.detached === true;
      call.onAbort((reason) => {
        if (detached || this.#flow === flow) flow.abort(reason as Error);
        span?.end(String((reason as Error | undefined)?.message ?? reason));
        reject(reason);
      });
    });
  }

  #attemptSpan(call: Call | undefined): LiveSpan | undefined {
    const span = this.#plan.span?.child('attempt', 'internal');
    if (span === undefined) return undefined;
    span.set('holdfast.attempt', this.attempts);
    if (call !== undefined && call.remainingMs !== Number.POSITIVE_INFINITY) {
      span.set('holdfast.remaining_ms', Math.round(call.remainingMs));
    }
    return span;
  }
}

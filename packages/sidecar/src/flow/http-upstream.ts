import type { Dispatcher } from 'undici';
import { type EgressPool, egressPool } from '../egress/egress-pool.ts';
import { ProxyError } from '../egress/tunnel-connector.ts';
import type { AnswerSink, Flow, OutgoingCall, Upstream } from './answer.ts';
import { brokenConnection, connectFailure } from './go-words.ts';
import { answerHeaders } from './headers/answer-headers.ts';
import { quietConnector } from './quiet-connector.ts';
import { isBodyFailure } from './request-body.ts';
import { undiciPool } from './undici-pool.ts';
import { UpstreamError } from './upstream-error.ts';

/** Connections kept and used at most; calls beyond wait for one. */
export const MAX_CONNECTIONS = 1024;
/** A connection unused for this long is closed by us, before the other side does; its own `Keep-Alive` hint comes first. */
export const KEEP_ALIVE_MS = 4_000;
/** As long as an application on this machine, or an endpoint outside, may take to accept a connection. */
export const CONNECT_MS = 5_000;

/** Of servers that are spoken to by TLS. */
export interface UpstreamTrust {
  /** Takes any certificate: for what is on this machine. @default false */
  readonly anyCertificate?: boolean;
  /** Whom to trust and who we are, where that is said. @default as Node does by itself */
  readonly tls?: UpstreamTls;
}

/** PEM texts. */
export interface UpstreamTls {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

/** Verbs that mean the same sent twice (RFC 9110 §9.2.2). */
export const REPEATABLE: ReadonlySet<string> = new Set([
  'GET',
  'HEAD',
  'OPTIONS',
  'PUT',
  'DELETE',
  'TRACE',
]);

/** Errors that say no connection came about, so nothing was sent. */
const NO_CONNECTION = new Set([
  'ECONNREFUSED',
  'UND_ERR_CONNECT_TIMEOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EADDRNOTAVAIL',
]);

/**
 * An HTTP/1.1 server at a fixed origin, behind a pool of kept connections. A
 * call is sent once: one whose connection breaks fails, and whether it is sent
 * again is the policies' business, which is also how daprd counts.
 */
export class HttpUpstream implements Upstream {
  readonly #pool: EgressPool;
  /** `host:port`, as errors name it. */
  readonly address: string;

  /** `proxy` stands between here and there. */
  constructor(origin: string, trust: UpstreamTrust = {}, proxy?: URL) {
    this.address = new URL(origin).host;
    const connect = {
      timeout: CONNECT_MS,
      allowH2: false,
      ...(trust.anyCertificate === true ? { rejectUnauthorized: false } : {}),
      ...trust.tls,
    };
    const pool = {
      connections: MAX_CONNECTIONS,
      pipelining: 1,
      // How long a call may take is the policies' business; Dapr has no limit of its own either.
      headersTimeout: 0,
      bodyTimeout: 0,
      keepAliveTimeout: KEEP_ALIVE_MS,
      allowH2: false,
    };
    this.#pool =
      proxy === undefined
        ? new (undiciPool())(origin, { ...pool, connect: quietConnector(connect) })
        : egressPool(origin, { ...pool, connect }, proxy);
  }

  send(call: OutgoingCall, sink: AnswerSink): Flow {
    const flow = new HttpFlow(this, sink);
    this.dispatch(call, flow);
    return flow;
  }

  /** Ends all connections; calls in flight fail. */
  async close(): Promise<void> {
    await this.#pool.destroy();
  }

  /** @internal */
  dispatch(call: OutgoingCall, flow: HttpFlow): void {
    try {
      this.#pool.dispatch(
        {
          path: call.path,
          method: call.method,
          headers: call.headers as string[],
          body: call.body,
        },
        flow,
      );
    } catch (error) {
      // undici checks path, verb and headers before anything is written.
      flow.onResponseError(undefined, error as Error);
    }
  }
}

/** One call: undici's handler and our handle on it in one object. */
class HttpFlow implements Flow, Dispatcher.DispatchHandler {
  readonly #upstream: HttpUpstream;
  readonly #sink: AnswerSink;
  #controller: Dispatcher.DispatchController | undefined;
  #done = false;
  #received = 0;
  /** Declared length of the body; -1 if the answer does not say. */
  #length = -1;
  #last: Buffer | null = null;

  constructor(upstream: HttpUpstream, sink: AnswerSink) {
    this.#upstream = upstream;
    this.#sink = sink;
  }

  pause(): void {
    this.#controller?.pause();
  }

  resume(): void {
    this.#controller?.resume();
  }

  abort(reason: Error): void {
    if (this.#done) return;
    this.#done = true;
    this.#controller?.abort(reason);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    // Given up while it was waiting for a connection.
    if (this.#done) controller.abort(new Error('given up'));
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number): void {
    if (status < 200 || this.#done) return;
    const raw = (controller.rawHeaders ?? []) as readonly Buffer[];
    const { headers, length } = answerHeaders(raw.map((part) => part.toString('latin1')));
    this.#length = length;
    this.#sink.head(status, headers, this);
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#done) return;
    this.#received += chunk.length;
    if (this.#received === this.#length) {
      // Nothing follows but the end, in this very turn: let it leave in one write.
      this.#last = chunk;
      return;
    }
    this.#sink.data(chunk);
  }

  onResponseEnd(): void {
    if (this.#done) return;
    this.#done = true;
    this.#sink.end(this.#last);
  }

  onResponseError(_controller: unknown, error: Error & { code?: string }): void {
    if (this.#done) return;
    this.#done = true;
    this.#sink.fail(explainFailure(error, this.#upstream.address));
  }
}

/** Why a call got no (whole) answer of the server at `address`. */
export function explainFailure(error: Error & { code?: string }, address: string): Error {
  // The body that was being sent failed, not the other side: its reason is the reason.
  if (isBodyFailure(error)) return error;
  if (error.code !== undefined && NO_CONNECTION.has(error.code)) {
    return new UpstreamError('UNREACHABLE', connectFailure(error, address), error);
  }
  if (error instanceof ProxyError) return new UpstreamError('UNREACHABLE', error.message, error);
  if (error.code === 'UND_ERR_INVALID_ARG') {
    return new UpstreamError('REFUSED', error.message, error);
  }
  return new UpstreamError('BROKEN', brokenConnection(error), error);
}

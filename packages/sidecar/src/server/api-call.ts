import type { IncomingMessage, ServerResponse } from 'node:http';
import { formatTraceparent } from '@holdfast/core/trace';
import { endWith } from '../flow/end-with.ts';
import { headerValue } from '../flow/headers/header-value.ts';
import { writeStruct } from '../go-json/write-json.ts';
import { type Span, type TraceFacts, traceFacts } from '../trace/tracing.ts';
import { ALLOW_ORIGIN } from './cors.ts';
import type { HeadFault } from './head-fault.ts';
import type { RequestHead } from './request-head.ts';

/** Longer ones reach the application, whose own they are, but are not repeated to the client. */
const TRACESTATE_LIMIT = 512;

/** What Dapr answers where something went wrong. */
export interface ErrorBody {
  readonly errorCode: string;
  readonly message: string;
  readonly details?: readonly object[];
}

/** One request to the API and the way to answer it. */
export class ApiCall {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  /** Middleware may have given it another path than the client did. */
  head: RequestHead;
  /** Headers of middleware and CORS, for whatever answer there is. */
  readonly added: string[] = [];
  /** Undefined where tracing is off, and for health probes. */
  readonly span: Span | undefined;
  readonly startedMs: number;
  /** Of the answer's body, as far as it was written. */
  bytesOut = 0;
  /** How far it came; undefined: it was answered before the routes. */
  reached: 'api' | 'invocation' | undefined;
  /** The error that it was answered with, where Dapr has a code for it. */
  refusal: ErrorBody | undefined;

  constructor(
    req: IncomingMessage,
    res: ServerResponse,
    head: RequestHead,
    span: Span | undefined,
    startedMs: number,
  ) {
    this.req = req;
    this.res = res;
    this.head = head;
    this.span = span;
    this.startedMs = startedMs;
  }

  /** What events carry on; empty texts where tracing is off. */
  get trace(): TraceFacts {
    return traceFacts(this.span);
  }

  /** Adds what every answer carries: the trace it belongs to, and the client's baggage. */
  decorate(headers: string[]): void {
    const { span, head, added } = this;
    for (let at = 0; at + 1 < added.length; at += 2) {
      // Two origins are none to a browser: the flag's counts, not the application's.
      if (added[at] === ALLOW_ORIGIN) drop(headers, ALLOW_ORIGIN);
      headers.push(added[at]!, added[at + 1]!);
    }
    if (span !== undefined && headerValue(headers, 'traceparent') === undefined) {
      headers.push('traceparent', formatTraceparent(span));
      const { state } = span;
      if (state !== undefined && state.length <= TRACESTATE_LIMIT)
        headers.push('tracestate', state);
    }
    if (head.baggage && headerValue(headers, 'baggage') === undefined) {
      headers.push('baggage', head.baggage);
    }
  }

  /** Sends the request elsewhere; `path` has its query with it. */
  redirect(path: string): void {
    const mark = path.indexOf('?');
    const query = mark === -1 ? '' : path.slice(mark);
    this.head = { ...this.head, path: mark === -1 ? path : path.slice(0, mark), query };
  }

  empty(status: number): void {
    const headers: string[] = [];
    this.decorate(headers);
    this.res.writeHead(status, headers);
    this.res.end();
  }

  answer(status: number, headers: readonly string[], body: string): void {
    const all = [...headers];
    this.decorate(all);
    this.#send(status, body, all);
  }

  /** JSON that somebody else wrote. */
  bytes(status: number, body: Buffer, more: readonly string[]): void {
    const headers = ['content-type', 'application/json', ...more];
    this.decorate(headers);
    this.#send(status, body, headers);
  }

  json(status: number, body: string, more: readonly string[] = []): void {
    const headers = ['content-type', 'application/json', ...more];
    this.decorate(headers);
    this.#send(status, body, headers);
  }

  /** JSON as Go's encoder sends it, which ends its line; Dapr's errors do not come from there. */
  encoded(status: number, body: string): void {
    this.json(status, `${body}\n`);
  }

  /** An error in Dapr's form. */
  error(status: number, error: ErrorBody, more: readonly string[] = []): void {
    this.refusal = error;
    this.json(status, writeStruct(error), more);
  }

  /** As Go's `http.Error` writes it, which is what Dapr answers where it does not answer JSON. */
  plain(status: number, text: string): void {
    const headers = plainHeaders();
    this.decorate(headers);
    this.#send(status, `${text}\n`, headers);
  }

  /** A request that could not be read: it is part of no trace. */
  unreadable({ text, status }: HeadFault): void {
    this.#send(status, `${text}\n`, plainHeaders());
  }

  /** Ends a request that failed for a reason of our own, wherever it had got to. */
  failed(error: unknown): void {
    if (this.res.headersSent) this.res.destroy();
    else this.error(500, { errorCode: 'ERR_DIRECT_INVOKE', message: String(error) });
  }

  #send(status: number, text: string | Buffer, headers: string[]): void {
    const body = typeof text === 'string' ? Buffer.from(text) : text;
    headers.push('content-length', String(body.length));
    if (!this.req.complete && this.head.bodyLength !== 0) headers.push('connection', 'close');
    this.res.writeHead(status, headers);
    this.bytesOut = body.length;
    endWith(this.res, body);
  }
}

/** Takes every header of that name out of a list. */
function drop(headers: string[], name: string): void {
  for (let at = headers.length - 2; at >= 0; at -= 2) {
    if (headers[at] === name) headers.splice(at, 2);
  }
}

function plainHeaders(): string[] {
  const type = 'text/plain; charset=utf-8';
  return ['content-type', type, 'x-content-type-options', 'nosniff'];
}

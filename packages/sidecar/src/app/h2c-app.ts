import http2, { type ClientHttp2Stream, type IncomingHttpHeaders } from 'node:http2';
import type { Readable } from 'node:stream';
import type { Clock } from '@holdfast/core';
import type { AnswerSink, Flow, OutgoingCall, Upstream } from '../flow/answer.ts';
import { addHeader, type HeaderMap } from '../flow/headers/add-header.ts';
import { answerHeaders } from '../flow/headers/answer-headers.ts';
import { isHopByHop } from '../flow/headers/hop-by-hop.ts';
import { explainFailure } from '../flow/http-upstream.ts';
import { UpstreamError } from '../flow/upstream-error.ts';
import { cancel } from './grpc-connection.ts';
import { GrpcSessions } from './grpc-sessions.ts';
import { http2CodeName } from './http2-codes.ts';

const { NGHTTP2_CANCEL, NGHTTP2_NO_ERROR, NGHTTP2_REFUSED_STREAM } = http2.constants;

/** An application that speaks HTTP/2 in clear text, and is known to. */
export class H2cApp implements Upstream {
  /** `host:port`, as errors name it. */
  readonly address: string;
  readonly #sessions: GrpcSessions;

  constructor(address: string, clock: Clock) {
    this.address = address;
    this.#sessions = new GrpcSessions(`http://${address}`, clock);
  }

  send(call: OutgoingCall, sink: AnswerSink): Flow {
    return new H2cFlow(this, call, sink);
  }

  async close(): Promise<void> {
    this.#sessions.close();
  }

  /** @internal */
  begin({ body, headers, method, path }: OutgoingCall): ClientHttp2Stream {
    const all: HeaderMap = { ':method': method, ':path': path };
    for (let at = 0; at + 1 < headers.length; at += 2) {
      const name = headers[at]!;
      if (!isHopByHop(name)) addHeader(all, name, headers[at + 1]!);
    }
    return this.#sessions.request(all, body === null);
  }
}

class H2cFlow implements Flow {
  readonly #app: H2cApp;
  readonly #call: OutgoingCall;
  readonly #sink: AnswerSink;
  #stream: ClientHttp2Stream | undefined;
  #status: number | undefined;
  #length = -1;
  #received = 0;
  #done = false;
  #again = false;

  constructor(app: H2cApp, call: OutgoingCall, sink: AnswerSink) {
    this.#app = app;
    this.#call = call;
    this.#sink = sink;
    this.#begin();
  }

  pause(): void {
    if (!this.#done) this.#stream?.pause();
  }

  resume(): void {
    if (!this.#done) this.#stream?.resume();
  }

  abort(): void {
    if (this.#done) return;
    this.#done = true;
    if (this.#stream !== undefined) cancel(this.#stream);
  }

  #begin(): void {
    const { body } = this.#call;
    let stream: ClientHttp2Stream;
    try {
      stream = this.#app.begin(this.#call);
    } catch (error) {
      // A header that HTTP/2 cannot have: nothing was sent.
      const refused = new UpstreamError('REFUSED', (error as Error).message, error);
      queueMicrotask(() => this.#fail(refused));
      return;
    }
    this.#stream = stream;
    let failure: (Error & { code?: string }) | undefined;
    stream.on('response', (headers, _flags, raw?: readonly string[]) => this.#head(headers, raw));
    stream.on('data', (chunk: Buffer) => this.#data(chunk));
    stream.on('end', () => {
      // What was reset ends as well, a moment before it is said to be closed.
      if (stream.rstCode === NGHTTP2_NO_ERROR) this.#end();
    });
    stream.on('error', (error) => {
      failure = error;
    });
    stream.on('close', () => this.#closed(stream, failure));
    if (body === null) return;
    if (Buffer.isBuffer(body)) stream.end(body);
    // Not before there is a connection: a body of which nothing was read can be sent elsewhere.
    else if (stream.pending) stream.once('ready', () => this.#pump(body, stream));
    else this.#pump(body, stream);
  }

  #pump(body: Readable, stream: ClientHttp2Stream): void {
    // A client that leaves, or sends too much, ends the call.
    body.on('error', (error) => {
      this.#fail(error);
      cancel(stream);
    });
    body.pipe(stream);
  }

  #head(headers: IncomingHttpHeaders, raw: readonly string[] | undefined): void {
    if (this.#done) return;
    const list = raw ?? listOf(headers);
    const answer = answerHeaders(list.slice(firstHeader(list)));
    this.#status = Number(headers[':status']);
    const bodiless = this.#call.method === 'HEAD' || this.#status === 204 || this.#status === 304;
    this.#length = bodiless ? -1 : answer.length;
    this.#sink.head(this.#status, answer.headers, this);
  }

  #data(chunk: Buffer): void {
    if (this.#done) return;
    this.#received += chunk.length;
    this.#sink.data(chunk);
  }

  #end(): void {
    if (this.#done || this.#status === undefined) return;
    if (this.#length >= 0 && this.#received !== this.#length) return;
    this.#done = true;
    this.#sink.end(null);
    // What was not taken of the body is of no use any more.
    if (this.#stream?.writableEnded === false) cancel(this.#stream);
  }

  #closed(stream: ClientHttp2Stream, failure: (Error & { code?: string }) | undefined): void {
    if (this.#done) return;
    const code = stream.rstCode ?? NGHTTP2_NO_ERROR;
    const untouched = code === NGHTTP2_REFUSED_STREAM && this.#status === undefined;
    const { body } = this.#call;
    if (untouched && !this.#again && (body === null || Buffer.isBuffer(body))) {
      // It was closing its connection, and says that it has done nothing.
      this.#again = true;
      this.#begin();
      return;
    }
    this.#fail(explainFailure(worded(stream, code, failure), this.#app.address));
  }

  #fail(error: Error): void {
    if (this.#done) return;
    this.#done = true;
    this.#sink.fail(error);
  }
}

/** In Go's words where it is about HTTP/2. */
function worded(
  { id }: ClientHttp2Stream,
  code: number,
  failure: (Error & { code?: string }) | undefined,
): Error & { code?: string } {
  // Of a call that waited for its connection the cause is why there is none.
  if (failure?.cause instanceof Error) return failure.cause;
  if (failure?.code === 'ERR_HTTP2_ERROR') {
    return new Error('http2: client conn could not be established', { cause: failure });
  }
  if (failure !== undefined && failure.code?.startsWith('ERR_HTTP2_') !== true) return failure;
  // Node's own, where the connection has ended.
  if (code === NGHTTP2_NO_ERROR || code === NGHTTP2_CANCEL) return new Error('EOF');
  return new Error(`stream error: stream ID ${id}; ${http2CodeName(code)}; received from peer`);
}

function listOf(headers: IncomingHttpHeaders): string[] {
  return Object.entries(headers).flatMap(([name, values]) =>
    [values ?? []].flat().flatMap((value) => [name, String(value)]),
  );
}

/** Those of HTTP/2's own come first. */
function firstHeader(list: readonly string[]): number {
  let at = 0;
  while (list[at]?.startsWith(':') === true) at += 2;
  return at;
}

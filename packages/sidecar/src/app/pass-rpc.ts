import type { ClientHttp2Stream, Http2Session, IncomingHttpHeaders } from 'node:http2';
import { Code } from '@connectrpc/connect';
import { isTrue } from '../components/is-true.ts';
import type { AnswerSink, Flow, OutgoingCall } from '../flow/answer.ts';
import { headerValue } from '../flow/headers/header-value.ts';
import { UpstreamError } from '../flow/upstream-error.ts';
import { escapedMessage, statusName } from '../grpc/status/rpc-status.ts';
import { MessageScanner, trailersFrame } from '../grpc/wire/message-scanner.ts';
import { withTraceBin } from '../trace/trace-bin.ts';
import { cancel, type GrpcConnection } from './grpc-connection.ts';
import { hasReached, noRpc, type RpcFailure, rpcFailure } from './rpc-failure.ts';

/** Set by clients whose call is a stream in either direction. */
const STREAM_HEADER = 'dapr-stream';

/**
 * A gRPC call to the application as it is, whatever its service.
 *
 * Its answer has the status 200, and the trailers as the last frame of its
 * body; or, where it failed before the first message, the status is gRPC's code
 * (1 … 16, or an application's own up to 99), so that policies can look at it, and the trailers are its headers.
 */
export function passRpc(
  connection: GrpcConnection,
  { path, headers, body }: OutgoingCall,
  sink: AnswerSink,
): Flow {
  const stream = connection.begin(path, withTraceBin(headers));
  const passed = new PassedRpc(connection, stream, sink, isStream(headers));
  if (body === null) stream.end();
  else if (Buffer.isBuffer(body)) stream.end(body);
  else {
    // A client that leaves, or sends too much, ends the call.
    body.on('error', (error) => passed.fail(error));
    body.pipe(stream);
  }
  return passed;
}

class PassedRpc implements Flow {
  readonly #connection: GrpcConnection;
  readonly #stream: ClientHttp2Stream;
  readonly #sink: AnswerSink;
  readonly #atOnce: boolean;
  /** It forgets its connection once it has closed. */
  readonly #session: Http2Session | undefined;
  /** How long a message may be is looked at where its client is. */
  readonly #scanner = new MessageScanner(Number.POSITIVE_INFINITY);
  #head: string[] | undefined;
  #headSent = false;
  /** Its head was its end: what follows is no message. */
  #isOver = false;
  #done = false;
  #trailers: string[] | undefined;
  #error: Error | undefined;

  /** `atOnce`: the head goes on before anything else has come, as who waits for it in a stream must have it. */
  constructor(
    connection: GrpcConnection,
    stream: ClientHttp2Stream,
    sink: AnswerSink,
    atOnce: boolean,
  ) {
    this.#connection = connection;
    this.#stream = stream;
    this.#session = stream.session;
    this.#sink = sink;
    this.#atOnce = atOnce;
    stream.on('response', (head, _flags, raw) => this.#onHead(head, raw));
    stream.on('data', (chunk: Buffer) => this.#onData(chunk));
    stream.on('trailers', (_trailers, _flags, raw) => {
      this.#trailers = metadataOf(raw);
    });
    stream.on('error', (error) => {
      this.#error ??= error;
    });
    stream.on('close', () => this.#onClose());
  }

  pause(): void {
    this.#stream.pause();
  }

  resume(): void {
    this.#stream.resume();
  }

  abort(): void {
    if (this.#done) return;
    this.#done = true;
    cancel(this.#stream);
  }

  fail(error: Error): void {
    if (this.#done) return;
    this.#done = true;
    cancel(this.#stream);
    this.#sink.fail(error);
  }

  #onHead(head: IncomingHttpHeaders, raw: readonly string[]): void {
    if (head['grpc-status'] !== undefined) {
      this.#isOver = true;
      this.#trailers = metadataOf(raw);
      this.#head = ['content-type', head['content-type'] ?? 'application/grpc'];
      return;
    }
    const failure = noRpc(Number(head[':status']), head['content-type']);
    if (failure !== undefined) {
      this.#isOver = true;
      this.#trailers = trailersOf(failure);
      this.#head = [];
      cancel(this.#stream);
      return;
    }
    this.#head = metadataOf(raw);
    if (this.#atOnce) this.#sendHead(200);
  }

  #onData(chunk: Buffer): void {
    // Not by the trailers: they are told while messages before them may still be waiting to be read.
    if (this.#done || this.#isOver) return;
    this.#scanner.scan(chunk);
    this.#sendHead(200);
    this.#sink.data(chunk);
  }

  #onClose(): void {
    if (this.#done) return;
    this.#done = true;
    const responded = this.#head !== undefined;
    const end = this.#connection.endOf(this.#stream, this.#session, this.#error, responded);
    const failure = rpcFailure(end);
    if (this.#trailers === undefined && (!end.sent || end.gone)) {
      this.#sink.fail(
        new UpstreamError(hasReached(end) ? 'BROKEN' : 'UNREACHABLE', worded(failure)),
      );
      return;
    }
    if (this.#scanner.within) {
      // Half a message: nothing that follows could be told from the rest of it.
      const words = this.#trailers === undefined ? failure : HALF;
      this.#sink.fail(new UpstreamError('BROKEN', worded(words)));
      return;
    }
    this.#head ??= [];
    const trailers = this.#trailers ?? trailersOf(failure);
    const list = trailers.filter((_, at) => trailers[at & ~1] !== 'content-type');
    const status = Number(headerValue(trailers, 'grpc-status') ?? 2);
    if (!this.#headSent && status !== 0) {
      this.#head.push(...list);
      this.#sendHead(headStatus(status));
      this.#sink.end(null);
      return;
    }
    this.#sendHead(200);
    const pairs: [string, string][] = [];
    for (let at = 0; at + 1 < list.length; at += 2) pairs.push([list[at]!, list[at + 1]!]);
    this.#sink.end(trailersFrame(pairs));
  }

  #sendHead(status: number): void {
    if (this.#headSent) return;
    this.#headSent = true;
    this.#sink.head(status, this.#head ?? [], this);
  }
}

const HALF: RpcFailure = { code: Code.Internal, message: 'unexpected EOF' };

/** With its code, which another sidecar's client is to have as ours has. */
const worded = ({ code, message }: RpcFailure): string =>
  `rpc error: code = ${statusName(code)} desc = ${message}`;

const trailersOf = ({ code, message }: RpcFailure): string[] => [
  'grpc-status',
  String(code),
  'grpc-message',
  escapedMessage(message),
];

/** A code that gRPC does not know is no other's, so that no list of codes takes it for one; 100 and more would be HTTP's. */
const headStatus = (code: number): number => (code >= 1 && code < 100 ? code : Code.Unknown);

export const isStream = (headers: readonly string[]): boolean =>
  isTrue(headerValue(headers, STREAM_HEADER));

/** All but HTTP's own, a line for each value. */
const metadataOf = (raw: readonly string[]): string[] =>
  raw.filter((_, at) => !raw[at & ~1]!.startsWith(':'));

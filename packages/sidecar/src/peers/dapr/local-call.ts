import type { ClientHttp2Stream, Http2Session, IncomingHttpHeaders } from 'node:http2';
import { Readable } from 'node:stream';
import { create, fromBinary, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { Code } from '@connectrpc/connect';
import { cancel, type GrpcConnection } from '../../app/grpc-connection.ts';
import { noRpc, rpcFailure } from '../../app/rpc-failure.ts';
import type { AnswerSink, Flow, OutgoingCall } from '../../flow/answer.ts';
import { unescaped } from '../../flow/unescaped.ts';
import { UpstreamError, type UpstreamErrorCode } from '../../flow/upstream-error.ts';
import {
  InternalInvokeRequestStreamSchema,
  type InternalInvokeResponseStream,
  InternalInvokeResponseStreamSchema,
} from '../../grpc/protos/service_invocation_pb.ts';
import { statusName } from '../../grpc/status/rpc-status.ts';
import { framed } from '../../grpc/wire/message-frame.ts';
import { withTraceBin } from '../../trace/trace-bin.ts';
import { heardHead } from './answer-message.ts';
import { requestOf } from './call-message.ts';
import { HeardMessages } from './heard-messages.ts';

const CALL = '/dapr.proto.internals.v1.ServiceInvocation/CallLocalStream';
/** Of a body in one message; gRPC's servers take 4 MiB unless told otherwise. */
const CHUNK_BYTES = 64 * 1024;

/** What the other sidecar says in place of its application; daprd calls again after `Unavailable`. */
const OF_CODES: Readonly<Record<number, UpstreamErrorCode>> = {
  [Code.PermissionDenied]: 'DENIED',
  [Code.Unavailable]: 'UNREACHABLE',
};

/** One call to the application behind a daprd: a message with its head, and its body in parts. */
export class LocalCall implements Flow {
  readonly #connection: GrpcConnection;
  readonly #call: OutgoingCall;
  readonly #sink: AnswerSink;
  readonly #heard: HeardMessages;
  #stream: ClientHttp2Stream | undefined;
  #session: Http2Session | undefined;
  #request: MessageInitShape<typeof InternalInvokeRequestStreamSchema>['request'];
  #sent = 0n;
  #expected = 0n;
  #head: IncomingHttpHeaders | undefined;
  #trailers: IncomingHttpHeaders | undefined;
  #error: Error | undefined;
  #answering = false;
  /** The answer's body is ours: what comes is not. */
  #instead: Buffer | undefined;
  #done = false;

  constructor(
    connection: GrpcConnection,
    call: OutgoingCall,
    sink: AnswerSink,
    limitBytes: number,
  ) {
    this.#connection = connection;
    this.#call = call;
    this.#sink = sink;
    this.#heard = new HeardMessages(limitBytes);
    try {
      this.#request = requestOf(call);
      this.#begin();
    } catch (error) {
      queueMicrotask(() => this.#fail(error as Error));
    }
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
    const stream = this.#connection.begin(CALL, traceOf(this.#call.headers));
    this.#stream = stream;
    this.#session = stream.session;
    stream.on('response', (head) => {
      this.#head = head;
      if (head['grpc-status'] !== undefined) this.#trailers = head;
    });
    stream.on('trailers', (trailers) => {
      this.#trailers = trailers;
    });
    stream.on('data', (chunk: Buffer) => this.#onData(chunk));
    stream.on('error', (error) => {
      this.#error ??= error;
    });
    stream.on('close', () => this.#onClose(stream));
    if (body instanceof Readable) {
      // A body of which nothing was read can be sent elsewhere, so not before there is a connection.
      if (stream.pending) stream.once('ready', () => this.#pump(body, stream));
      else this.#pump(body, stream);
      return;
    }
    const bytes = body ?? EMPTY;
    let at = 0;
    do {
      stream.write(this.#message(bytes.subarray(at, at + CHUNK_BYTES)));
      at += CHUNK_BYTES;
    } while (at < bytes.length);
    stream.end();
  }

  /** The first has the head of the call. */
  #message(bytes: Buffer): Buffer {
    const request = this.#request;
    this.#request = undefined;
    const payload = bytes.length === 0 ? undefined : { data: bytes, seq: this.#sent++ };
    const message = create(InternalInvokeRequestStreamSchema, {
      ...(request === undefined ? {} : { request }),
      ...(payload === undefined ? {} : { payload }),
    });
    return framed(toBinary(InternalInvokeRequestStreamSchema, message));
  }

  #pump(body: Readable, stream: ClientHttp2Stream): void {
    if (this.#done) return;
    stream.write(this.#message(EMPTY));
    stream.on('drain', () => body.resume());
    body.on('data', (bytes: Buffer) => {
      if (!stream.writable) return;
      for (let at = 0; at < bytes.length; at += CHUNK_BYTES) {
        if (!stream.write(this.#message(bytes.subarray(at, at + CHUNK_BYTES)))) body.pause();
      }
    });
    body.on('end', () => stream.end());
    // A client that leaves, or sends too much, ends the call.
    body.on('error', (error) => {
      this.#fail(error);
      cancel(stream);
    });
  }

  #onData(chunk: Buffer): void {
    try {
      for (const bytes of this.#heard.take(chunk)) {
        if (this.#done) return;
        this.#onMessage(fromBinary(InternalInvokeResponseStreamSchema, bytes));
      }
    } catch (error) {
      this.#fail(new UpstreamError('BROKEN', rpcWords('Internal', (error as Error).message)));
      if (this.#stream !== undefined) cancel(this.#stream);
    }
  }

  #onMessage({ response, payload }: InternalInvokeResponseStream): void {
    if (!this.#answering) {
      const head = response === undefined ? undefined : heardHead(response);
      if (head === undefined) {
        throw new Error('response does not contain the required fields in the leading chunk');
      }
      this.#answering = true;
      this.#instead = head.body;
      this.#sink.head(head.status, head.headers, this);
    }
    if (payload === undefined) return;
    if (payload.seq !== this.#expected) {
      const seen = `${payload.seq} (expected: ${this.#expected})`;
      throw new Error(`invalid sequence number received: ${seen}`);
    }
    this.#expected += 1n;
    if (payload.data.length > 0 && this.#instead === undefined) {
      this.#sink.data(Buffer.from(payload.data));
    }
  }

  #onClose(stream: ClientHttp2Stream): void {
    if (this.#done) return;
    const responded = this.#head !== undefined;
    const end = this.#connection.endOf(stream, this.#session, this.#error, responded);
    const status = this.#trailers?.['grpc-status'];
    if (status === '0' && this.#answering && !this.#heard.within) {
      this.#done = true;
      this.#sink.end(this.#instead ?? null);
      return;
    }
    if (this.#trailers === undefined || status === '0') {
      const http = this.#head;
      const other = http && noRpc(Number(http[':status']), http['content-type']);
      const { code, message } = other ?? rpcFailure(end);
      const text = rpcWords(statusName(code), message);
      this.#fail(new UpstreamError(end.sent ? 'BROKEN' : 'UNREACHABLE', text));
      return;
    }
    const code = Number(status);
    const text = rpcWords(
      statusName(code),
      unescaped(String(this.#trailers['grpc-message'] ?? '')),
    );
    this.#fail(new UpstreamError(this.#answering ? 'BROKEN' : (OF_CODES[code] ?? 'REFUSED'), text));
  }

  #fail(error: Error): void {
    if (this.#done) return;
    this.#done = true;
    this.#sink.fail(error);
  }
}

const EMPTY = Buffer.alloc(0);

const rpcWords = (code: string, words: string): string =>
  `rpc error: code = ${code} desc = ${words}`;

/** The call's own span goes beside the message, as gRPC has it. */
function traceOf(headers: readonly string[]): readonly string[] {
  const trace: string[] = [];
  for (let at = 0; at + 1 < headers.length; at += 2) {
    if (/^trace(?:parent|state)$/.test(headers[at]!)) trace.push(headers[at]!, headers[at + 1]!);
  }
  return withTraceBin(trace);
}

import http2, { type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import {
  create,
  type DescMessage,
  type DescMethodUnary,
  type DescService,
  fromBinary,
  isMessage,
  type MessageInitShape,
  toBinary,
} from '@bufbuild/protobuf';
import {
  Code,
  ConnectError,
  type HandlerContext,
  type Interceptor,
  type UnaryResponse,
} from '@connectrpc/connect';
import { setTrailerStatus } from '@connectrpc/connect/protocol-grpc';
import type { Clock } from '@holdfast/core';
import { replyHead } from '../../server/h2c/reply-head.ts';
import { readRpcTimeout } from '../proxy/rpc-timeout.ts';
import { type AnswerLines, joined, LINES } from '../wire/answer-lines.ts';
import { framed, MESSAGE_HEAD_BYTES } from '../wire/message-frame.ts';
import { MessageTooLargeError } from '../wire/message-scanner.ts';
import { METADATA } from '../wire/request-lines.ts';
import { WIRE, WireBytes } from '../wire/wire-bytes.ts';
import { extraMessage, onlyMessage } from './only-message.ts';
import { RpcHeaders } from './rpc-headers.ts';
import { UnaryCall } from './unary-call.ts';

/** A method of a service, of whatever types. */
type Answer = (
  message: never,
  context: HandlerContext,
) => Promise<MessageInitShape<DescMessage>> | MessageInitShape<DescMessage>;

export interface UnaryCallsOptions {
  readonly service: DescService;
  /** By the method's name in the service's TypeScript. */
  readonly answers: Readonly<Record<string, unknown>>;
  /** What each call passes. */
  readonly guard: Interceptor;
  /** Longest message of a client. */
  readonly maxMessageBytes: number;
  readonly clock: Clock;
}

interface Known {
  readonly method: DescMethodUnary;
  readonly answer: Answer;
}

const PLAIN_TYPE = /^application\/grpc(?:\+proto)?$/;

/**
 * Unary calls of a service straight on node's HTTP/2: what is not compressed, and of Protobuf, which nearly all are.
 * connect, which has the rest, takes a message through eight generators of its own, in and out; that was ten times
 * what a small call of the API costs otherwise. What a client hears is the same, down to the words of an error.
 */
export class UnaryCalls {
  readonly #options: UnaryCallsOptions;
  readonly #known = new Map<string, Known>();

  constructor(options: UnaryCallsOptions) {
    this.#options = options;
    const { answers, service } = options;
    for (const method of service.methods) {
      const answer = answers[method.localName];
      if (method.methodKind !== 'unary' || typeof answer !== 'function') continue;
      this.#known.set(`/${service.typeName}/${method.name}`, {
        method: method as DescMethodUnary,
        answer: answer.bind(answers) as Answer,
      });
    }
  }

  /** False: it is for connect to answer. */
  take(
    stream: ServerHttp2Stream,
    headers: IncomingHttpHeaders,
    rawHeaders: readonly string[],
  ): boolean {
    const known = this.#known.get(headers[':path'] ?? '');
    if (known === undefined || !isPlain(headers)) return false;
    new Exchange(stream, headers, rawHeaders, known, this.#options).begin();
    return true;
  }
}

function isPlain(headers: IncomingHttpHeaders): boolean {
  if (headers[':method'] !== 'POST') return false;
  if (!PLAIN_TYPE.test(headers['content-type'] ?? '')) return false;
  const { 'grpc-encoding': encoding = 'identity' } = headers;
  return encoding === 'identity' && 'ms' in timeoutOf(headers);
}

function timeoutOf({ 'grpc-timeout': given }: IncomingHttpHeaders) {
  return readRpcTimeout(given === undefined ? undefined : String(given));
}

/** One call, from its first byte to the end of its answer. */
class Exchange {
  readonly #stream: ServerHttp2Stream;
  readonly #headers: IncomingHttpHeaders;
  readonly #rawHeaders: readonly string[];
  readonly #known: Known;
  readonly #options: UnaryCallsOptions;
  readonly #header = new RpcHeaders();
  readonly #trailer = new RpcHeaders();
  readonly #lines: AnswerLines = { head: [], trailers: [] };
  readonly #wire = new WireBytes();
  #chunks: Buffer[] = [];
  #call: UnaryCall | undefined;
  #answered = false;
  /** The request, by the client's own word. */
  #complete = false;

  constructor(
    stream: ServerHttp2Stream,
    headers: IncomingHttpHeaders,
    rawHeaders: readonly string[],
    known: Known,
    options: UnaryCallsOptions,
  ) {
    this.#stream = stream;
    this.#headers = headers;
    this.#rawHeaders = rawHeaders;
    this.#known = known;
    this.#options = options;
    // As the client named its own.
    this.#header.set('content-type', String(headers['content-type']));
    this.#trailer.set('grpc-status', '0');
  }

  begin(): void {
    const stream = this.#stream;
    stream.on('data', (chunk: Buffer) => this.#take(chunk));
    stream.on('end', () => {
      this.#complete = true;
      if (!this.#answered && !stream.aborted) void this.#answer();
    });
    // Why it ended is seen by its end.
    stream.on('error', nothing);
    stream.on('close', () => {
      if (!this.#answered) this.#call?.giveUp(new ConnectError(GONE, Code.Canceled));
      this.#wire.onEnd?.(this.#wire.unary);
    });
  }

  #take(chunk: Buffer): void {
    // What still comes of a message that was refused is read for the sake of the others on the connection.
    if (this.#answered) return;
    this.#chunks.push(chunk);
    this.#wire.received += chunk.length;
    const bytes = this.#wire.received;
    if (bytes < MESSAGE_HEAD_BYTES) return;
    const { maxMessageBytes } = this.#options;
    // A head that came in pieces is put together, to be read.
    if (this.#chunks[0]!.length < MESSAGE_HEAD_BYTES) this.#chunks = [this.#body()];
    const length = this.#chunks[0]!.readUInt32BE(1);
    if (length > maxMessageBytes) {
      const { message } = new MessageTooLargeError(length, maxMessageBytes);
      this.#refuse(new ConnectError(message, Code.ResourceExhausted));
    } else if (bytes > 2 * MESSAGE_HEAD_BYTES + maxMessageBytes) this.#refuse(extraMessage());
  }

  #body(): Buffer {
    return this.#chunks.length === 1 ? this.#chunks[0]! : Buffer.concat(this.#chunks);
  }

  async #answer(): Promise<void> {
    const { guard } = this.#options;
    let timer: { cancel(): void } | undefined;
    try {
      const call = this.#read();
      const timeoutMs = call.timeoutMs();
      if (timeoutMs !== undefined) {
        timer = this.#options.clock.timer(timeoutMs, () =>
          call.giveUp(new ConnectError('the operation timed out', Code.DeadlineExceeded)),
        );
      }
      const { message, header, trailer } = (await guard(() => this.#ask(call))(
        call.asRequest,
      )) as UnaryResponse;
      copy(header, this.#header);
      copy(trailer, this.#trailer);
      this.#send(framed(toBinary(this.#known.method.output, message)));
    } catch (thrown) {
      this.#refuse(thrown);
    } finally {
      timer?.cancel();
    }
  }

  #read(): UnaryCall {
    const headers = this.#headers;
    const { method } = this.#known;
    const bytes = onlyMessage(this.#body());
    const timeout = timeoutOf(headers);
    const call = new UnaryCall(
      method,
      parsed(method.input, bytes),
      { request: RpcHeaders.of(headers), response: this.#header, trailer: this.#trailer },
      headers[':authority'] ?? headers.host ?? '',
      'ms' in timeout ? timeout.ms : undefined,
      this.#options.clock,
    );
    call.values.set(WIRE, this.#wire).set(LINES, this.#lines).set(METADATA, this.#rawHeaders);
    this.#call = call;
    return call;
  }

  async #ask(call: UnaryCall): Promise<UnaryResponse> {
    const { answer, method } = this.#known;
    const given = await answer(call.message as never, call);
    const message = isMessage(given, method.output) ? given : create(method.output, given);
    const { responseHeader: header, responseTrailer: trailer, service } = call;
    return { stream: false, service, method, header, trailer, message };
  }

  #refuse(thrown: unknown): void {
    if (this.#answered) return;
    const error =
      thrown instanceof ConnectError
        ? thrown
        : new ConnectError('internal error', Code.Internal, undefined, undefined, thrown);
    setTrailerStatus(this.#trailer.asHeaders, error);
    this.#send(undefined);
  }

  #send(message: Buffer | undefined): void {
    this.#answered = true;
    const stream = this.#stream;
    if (stream.destroyed || stream.closed) return;
    const head = this.#header.list();
    head.push(...this.#lines.head);
    stream.once('wantTrailers', () => {
      stream.sendTrailers(joined(this.#trailer.map(), this.#lines.trailers));
      // A client that was refused early may send no more, and never say so: its stream would hold up the end of the session.
      if (!this.#complete) setImmediate(() => stream.close(NGHTTP2_NO_ERROR));
    });
    try {
      stream.respond(replyHead(200, head), { waitForTrailers: true });
    } catch {
      // A header that nobody can write, from an application.
      stream.close(NGHTTP2_INTERNAL_ERROR);
      return;
    }
    if (message === undefined) {
      stream.end();
      return;
    }
    this.#wire.sent = message.length;
    stream.end(message);
  }
}

const { NGHTTP2_INTERNAL_ERROR, NGHTTP2_NO_ERROR } = http2.constants;
const GONE = 'the client has gone';

function parsed(desc: DescMessage, bytes: Uint8Array) {
  try {
    return fromBinary(desc, bytes);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new ConnectError(`parse binary: ${why}`, Code.Internal);
  }
}

function copy(from: Headers, to: RpcHeaders): void {
  if (from === to.asHeaders) return;
  for (const [name, value] of from) to.set(name, value);
}

const nothing = (): void => {};

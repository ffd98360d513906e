import http2, { type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import { Readable } from 'node:stream';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import type { AnswerSink, Flow, OutgoingCall } from '../../flow/answer.ts';
import { ClientGoneError } from '../../flow/upstream-error.ts';
import {
  type InternalInvokeRequest,
  InternalInvokeRequestSchema,
  InternalInvokeRequestStreamSchema,
  InternalInvokeResponseSchema,
  InternalInvokeResponseStreamSchema,
} from '../../grpc/protos/service_invocation_pb.ts';
import { escapedMessage, parseRpcError } from '../../grpc/status/rpc-status.ts';
import { framed } from '../../grpc/wire/message-frame.ts';
import { parentOf } from '../../trace/trace-bin.ts';
import { faultText } from '../fault.ts';
import { INLINE_BYTES } from '../frame-format.ts';
import type { PeerCallee } from '../peer-transport.ts';
import type { SpiffeId } from '../spiffe-id.ts';
import { type SaidHead, saidHead } from './answer-message.ts';
import { askedBy } from './call-message.ts';
import { BadMessageError, HeardMessages } from './heard-messages.ts';
import { InvalidCallError } from './invalid-call-error.ts';

export interface HeardCallOptions {
  readonly callee: PeerCallee;
  readonly callerId: SpiffeId | undefined;
  /** Longest message. */
  readonly maxBodyBytes: number;
  /** Whether the call and its answer are one message each (`CallLocal`), not parts (`CallLocalStream`). */
  readonly whole: boolean;
}

/** Of an answer in one message; gRPC's clients take 4 MiB unless told otherwise. */
const PART_BYTES = 64 * 1024;
const HEAD = { ':status': 200, 'content-type': 'application/grpc' };
const OK = { 'grpc-status': '0' };
const NO_HEAD = 'request does not contain the required fields in the leading chunk';
const INVALID_ARGUMENT = 3;
const RESOURCE_EXHAUSTED = 8;

/** A call that a daprd makes of our application: the messages it sends, and the answer as messages. */
export class HeardCall implements AnswerSink {
  readonly #stream: ServerHttp2Stream;
  readonly #options: HeardCallOptions;
  readonly #headers: IncomingHttpHeaders;
  readonly #messages: HeardMessages;
  /** Undefined until the head of the call has come. */
  #call: (Omit<OutgoingCall, 'body'> & { readonly headers: string[] }) | undefined;
  #bodyBytes: number | undefined;
  #gathered: Buffer[] = [];
  #gatheredBytes = 0;
  #expected = 0n;
  #body: Readable | undefined;
  #flow: Flow | undefined;
  #head: SaidHead | undefined;
  #withBody = true;
  #answer: Buffer[] = [];
  #answerBytes = 0;
  #seq = 0n;
  #answering: Flow | undefined;
  #trailers: Record<string, string> = OK;
  #done = false;

  constructor(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, options: HeardCallOptions) {
    this.#stream = stream;
    this.#headers = headers;
    this.#options = options;
    this.#messages = new HeardMessages(options.maxBodyBytes);
    stream.on('data', (chunk: Buffer) => this.#onData(chunk));
    stream.on('end', () => this.#onEnd());
    stream.on('drain', () => this.#answering?.resume());
    stream.on('error', () => {});
    stream.on('close', () => this.#onClose());
    stream.on('wantTrailers', () => stream.sendTrailers(this.#trailers));
  }

  #onData(chunk: Buffer): void {
    if (this.#done) return;
    try {
      for (const bytes of this.#messages.take(chunk)) {
        if (this.#options.whole) this.#onWhole(bytes);
        else this.#onPart(bytes);
      }
    } catch (error) {
      this.#refuse(error as Error);
    }
  }

  #onWhole(bytes: Buffer): void {
    const message = fromBinary(InternalInvokeRequestSchema, bytes);
    this.#begin(message);
    const { value = EMPTY } = message.message?.data ?? {};
    this.#gather(Buffer.from(value));
  }

  #onPart(bytes: Buffer): void {
    const { request, payload } = fromBinary(InternalInvokeRequestStreamSchema, bytes);
    if (this.#call === undefined) {
      if (request === undefined) throw new InvalidCallError(NO_HEAD);
      this.#begin(request);
    } else if (request !== undefined) {
      throw new InvalidCallError('request metadata found in non-leading chunk');
    }
    if (payload === undefined) return;
    if (payload.seq !== this.#expected) {
      const seen = `${payload.seq} (expected: ${this.#expected})`;
      throw new InvalidCallError(`invalid sequence number received: ${seen}`);
    }
    this.#expected += 1n;
    this.#take(Buffer.from(payload.data));
  }

  #begin(message: InternalInvokeRequest): void {
    const given = (name: string): string | undefined => {
      const value = this.#headers[name];
      return Array.isArray(value) ? value[0] : value;
    };
    const parent = parentOf(given('grpc-trace-bin'), given('traceparent'));
    const asked = askedBy(message, { parent, state: given('tracestate') });
    if (asked.kind === 'refused') throw new InvalidCallError(asked.why);
    this.#call = asked.call;
    this.#bodyBytes = asked.bodyBytes;
  }

  /** Applications see the length of what is short, and no chunks; what is long is passed on as it comes. */
  #take(bytes: Buffer): void {
    if (bytes.length === 0) return;
    if (this.#body !== undefined) {
      if (!this.#body.push(bytes)) this.#stream.pause();
      return;
    }
    this.#gather(bytes);
    const said = this.#bodyBytes;
    const short = said !== undefined && said <= INLINE_BYTES;
    if (short && this.#gatheredBytes <= said) return;
    const body = new Readable({ read: () => void this.#stream.resume() });
    // Its end is told by the call.
    this.#body = body.on('error', () => {});
    for (const part of this.#gathered) body.push(part);
    this.#gathered = [];
    if (said !== undefined) this.#call!.headers.push('content-length', String(said));
    this.#send(body);
  }

  #gather(bytes: Buffer): void {
    this.#gathered.push(bytes);
    this.#gatheredBytes += bytes.length;
  }

  /** Node ends what was broken off as if it were whole. */
  #onEnd(): void {
    if (this.#done) return;
    if (this.#stream.rstCode !== 0) return;
    if (this.#call === undefined || this.#messages.within) {
      this.#refuse(new InvalidCallError(NO_HEAD));
      return;
    }
    if (this.#body !== undefined) {
      this.#body.push(null);
      return;
    }
    const all = Buffer.concat(this.#gathered, this.#gatheredBytes);
    this.#gathered = [];
    if (all.length > 0) this.#call.headers.push('content-length', String(all.length));
    this.#send(all.length === 0 ? null : all);
  }

  #send(body: Buffer | Readable | null): void {
    const { callee, callerId } = this.#options;
    const flow = callee.send({ ...this.#call!, body, callerId }, this);
    this.#flow = flow;
    // The caller may have left while it was being sent.
    if (this.#done && this.#stream.destroyed) flow.abort(new ClientGoneError());
  }

  #onClose(): void {
    if (this.#done) return;
    this.#done = true;
    const gone = new ClientGoneError();
    this.#flow?.abort(gone);
    this.#body?.destroy(gone);
  }

  head(status: number, headers: string[], flow: Flow): void {
    if (this.#done) return;
    this.#answering = flow;
    this.#head = saidHead(status, headers);
    this.#withBody = this.#head.withBody;
    if (!this.#options.whole) process.nextTick(sendHead, this);
  }

  data(bytes: Buffer): void {
    if (this.#done || !this.#withBody) return;
    if (this.#options.whole) {
      this.#answer.push(bytes);
      this.#answerBytes += bytes.length;
      const { maxBodyBytes } = this.#options;
      if (this.#answerBytes <= maxBodyBytes) return;
      this.#answering?.abort(new ClientGoneError());
      const why = `grpc: received message larger than max (${this.#answerBytes} vs. ${maxBodyBytes})`;
      this.#finish(RESOURCE_EXHAUSTED, why);
      return;
    }
    if (!this.#part(bytes)) this.#answering?.pause();
  }

  end(last: Buffer | null): void {
    if (this.#done) return;
    if (last !== null) this.data(last);
    if (this.#done) return;
    if (this.#options.whole) this.#sendWhole();
    else this.sendHead();
    this.#finish(0, '');
  }

  fail(error: Error): void {
    if (this.#done) return;
    const { code, message } = parseRpcError(`rpc error: ${faultText(error)}`)!;
    this.#finish(code, message);
  }

  /** By itself, where no part of the body has come in the same turn. */
  sendHead(): void {
    if (this.#head !== undefined && !this.#done) this.#part(EMPTY);
  }

  #sendWhole(): void {
    const response = create(InternalInvokeResponseSchema, this.#head!.response);
    const data = response.message?.data;
    if (data !== undefined) data.value = Buffer.concat(this.#answer);
    this.#stream.respond(HEAD, { waitForTrailers: true });
    this.#stream.write(framed(toBinary(InternalInvokeResponseSchema, response)));
  }

  #part(bytes: Buffer): boolean {
    let room = true;
    let at = 0;
    do {
      const data = bytes.subarray(at, at + PART_BYTES);
      at += PART_BYTES;
      const head = this.#head;
      this.#head = undefined;
      if (head !== undefined) this.#stream.respond(HEAD, { waitForTrailers: true });
      const message = create(InternalInvokeResponseStreamSchema, {
        ...(head === undefined ? {} : { response: head.response }),
        ...(data.length === 0 ? {} : { payload: { data, seq: this.#seq++ } }),
      });
      room = this.#stream.write(framed(toBinary(InternalInvokeResponseStreamSchema, message)));
    } while (at < bytes.length);
    return room;
  }

  #refuse(error: Error): void {
    this.#body?.destroy(error);
    this.#flow?.abort(error);
    if (this.#flow !== undefined) this.#finish(INVALID_ARGUMENT, error.message);
    else if (error instanceof BadMessageError) this.#finish(RESOURCE_EXHAUSTED, error.message);
    else this.#finish(INVALID_ARGUMENT, `parsing InternalInvokeRequest error: ${error.message}`);
  }

  #finish(code: number, message: string): void {
    if (this.#done) return;
    this.#done = true;
    this.#body?.destroy();
    const stream = this.#stream;
    if (stream.destroyed) return;
    const status =
      code === 0 ? OK : { 'grpc-status': String(code), 'grpc-message': escapedMessage(message) };
    if (stream.headersSent) {
      this.#trailers = status;
      stream.end();
    } else stream.respond({ ...HEAD, ...status }, { endStream: true });
    // What has not come of its messages is of no use any more.
    if (stream.readableEnded) return;
    stream.resume();
    stream.once('finish', () => setImmediate(() => stream.close(NO_ERROR)));
  }
}

const EMPTY = Buffer.alloc(0);
const NO_ERROR = http2.constants.NGHTTP2_NO_ERROR;

function sendHead(call: HeardCall): void {
  call.sendHead();
}

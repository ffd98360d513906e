import { Readable } from 'node:stream';
import { create } from '@bufbuild/protobuf';
import { Code, ConnectError, type HandlerContext, type ServiceImpl } from '@connectrpc/connect';
import type { Flow, OutgoingCall } from '../../flow/answer.ts';
import { ClientGoneError } from '../../flow/upstream-error.ts';
import type { StreamPayload } from '../../grpc/protos/common_pb.ts';
import {
  type InternalInvokeRequest,
  type InternalInvokeRequestStream,
  InternalInvokeResponseSchema,
  InternalInvokeResponseStreamSchema,
  type ServiceInvocation,
} from '../../grpc/protos/service_invocation_pb.ts';
import { parseRpcError } from '../../grpc/status/rpc-status.ts';
import { parentOf } from '../../trace/trace-bin.ts';
import { faultText } from '../fault.ts';
import type { PeerCallee } from '../peer-transport.ts';
import type { SpiffeId } from '../spiffe-id.ts';
import { saidHead } from './answer-message.ts';
import { AnswerParts } from './answer-parts.ts';
import { askedBy } from './call-message.ts';

export interface LocalServiceOptions {
  readonly callee: PeerCallee;
  /** Longest body of a call that is one message. */
  readonly maxBodyBytes: number;
  /** Whose call it is, as the certificate of its connection says. */
  readonly callerOf: (context: HandlerContext) => SpiffeId | undefined;
  /** Whether the caller has given it up: what came of its messages is not all. */
  readonly isBroken: (context: HandlerContext) => boolean;
}

type Message = InternalInvokeRequest;

/** What daprd's sidecars ask of each other: calls of the application, in one message or in parts. */
export function localService({ callee, callerOf, isBroken, maxBodyBytes }: LocalServiceOptions) {
  /** Sends the call on; it is given up when the caller leaves. */
  const answerTo = (call: OutgoingCall, context: HandlerContext): AnswerParts => {
    const parts = new AnswerParts();
    const flow: Flow = callee.send({ ...call, callerId: callerOf(context) }, parts);
    const leave = (): void => {
      const gone = new ClientGoneError();
      flow.abort(gone);
      parts.fail(gone);
    };
    if (context.signal.aborted) leave();
    else context.signal.addEventListener('abort', leave);
    return parts;
  };
  return {
    async callLocal(message: Message, context: HandlerContext) {
      const { call } = asked(message, context);
      const sent = message.message?.data?.value ?? EMPTY;
      const body = sent.length === 0 ? null : Buffer.from(sent);
      if (body !== null) call.headers.push('content-length', String(body.length));
      const chunks: Buffer[] = [];
      let bytes = 0;
      let head: ReturnType<typeof saidHead> | undefined;
      try {
        for await (const part of answerTo({ ...call, body }, context)) {
          if (part.kind === 'head') head = saidHead(part.status, part.headers);
          else if (head?.withBody === true) {
            bytes += part.bytes.length;
            if (bytes > maxBodyBytes) {
              const why = `grpc: received message larger than max (${bytes} vs. ${maxBodyBytes})`;
              throw new ConnectError(why, Code.ResourceExhausted);
            }
            chunks.push(part.bytes);
          }
        }
      } catch (error) {
        throw rpcErrorOf(error);
      }
      const response = create(InternalInvokeResponseSchema, head!.response);
      if (response.message?.data !== undefined) response.message.data.value = Buffer.concat(chunks);
      return response;
    },

    async *callLocalStream(
      messages: AsyncIterable<InternalInvokeRequestStream>,
      context: HandlerContext,
    ) {
      const incoming = messages[Symbol.asyncIterator]();
      const first = await incoming.next();
      if (first.done === true || first.value.request === undefined) throw refused(NO_HEAD);
      const { call, bodyBytes } = asked(first.value.request, context);
      const isWhole = (): boolean => !isBroken(context);
      const parts = new SentParts(incoming, first.value.payload, isWhole);
      const body = await parts.body(bodyBytes);
      if (bodyBytes !== undefined && body !== null) {
        call.headers.push('content-length', String(bodyBytes));
      }
      let head: ReturnType<typeof saidHead> | undefined;
      let seq = 0n;
      try {
        for await (const part of answerTo({ ...call, body }, context)) {
          if (part.kind === 'head') {
            head = saidHead(part.status, part.headers);
            yield create(InternalInvokeResponseStreamSchema, { response: head.response });
          } else if (head?.withBody === true) {
            const payload = { data: part.bytes, seq: seq++ };
            yield create(InternalInvokeResponseStreamSchema, { payload });
          }
        }
      } catch (error) {
        if (body instanceof Readable) body.destroy(error as Error);
        throw rpcErrorOf(error);
      }
      // Answered before all of it has come: the rest is of no use.
      if (body instanceof Readable) body.destroy();
    },
  } satisfies Partial<ServiceImpl<typeof ServiceInvocation>>;
}

const EMPTY = new Uint8Array();
const NO_HEAD = 'request does not contain the required fields in the leading chunk';

function refused(why: string): ConnectError {
  const text = `parsing InternalInvokeRequest error: ${why}`;
  return new ConnectError(text, Code.InvalidArgument);
}

function asked(message: Message, { requestHeader }: HandlerContext) {
  const given = (name: string): string | undefined => requestHeader.get(name) ?? undefined;
  const parent = parentOf(given('grpc-trace-bin'), given('traceparent'));
  const found = askedBy(message, { parent, state: given('tracestate') });
  if (found.kind === 'refused') throw refused(found.why);
  return found;
}

/** In the words and with the code that a daprd would have. */
function rpcErrorOf(error: unknown): ConnectError {
  if (error instanceof ConnectError) return error;
  const { code, message } = parseRpcError(`rpc error: ${faultText(error as Error)}`)!;
  return new ConnectError(message, code, undefined, undefined, error);
}

/** The body of a call, whose parts follow its first message. */
class SentParts {
  readonly #messages: AsyncIterator<InternalInvokeRequestStream>;
  readonly #isWhole: () => boolean;
  #first: StreamPayload | undefined;
  #expected = 0n;

  constructor(
    messages: AsyncIterator<InternalInvokeRequestStream>,
    first: StreamPayload | undefined,
    isWhole: () => boolean,
  ) {
    this.#messages = messages;
    this.#isWhole = isWhole;
    this.#first = first;
  }

  /** At once what is short or nothing: applications see a length then, and no chunks. */
  async body(saidBytes: number | undefined): Promise<Buffer | Readable | null> {
    const first = await this.#next();
    if (first === undefined) return null;
    if (saidBytes !== undefined && first.length >= saidBytes) {
      return first.length === 0 ? null : first;
    }
    const rest = this.#rest(first);
    const all = Readable.from(rest, { objectMode: false, highWaterMark: 64 * 1024 });
    // Its end is told by the call.
    return all.on('error', () => {});
  }

  async *#rest(first: Buffer): AsyncIterable<Buffer> {
    if (first.length > 0) yield first;
    for (;;) {
      const bytes = await this.#next();
      if (bytes === undefined) return;
      if (bytes.length > 0) yield bytes;
    }
  }

  /** The next part; undefined after the last. */
  async #next(): Promise<Buffer | undefined> {
    let payload = this.#first;
    this.#first = undefined;
    while (payload === undefined) {
      const { done, value } = await this.#messages.next();
      if (done === true) {
        if (this.#isWhole()) return undefined;
        throw new ClientGoneError();
      }
      if (value.request !== undefined)
        throw new Error('request metadata found in non-leading chunk');
      payload = value.payload;
    }
    if (payload.seq !== this.#expected) {
      const seen = `${payload.seq} (expected: ${this.#expected})`;
      throw new Error(`invalid sequence number received: ${seen}`);
    }
    this.#expected += 1n;
    return Buffer.from(payload.data);
  }
}

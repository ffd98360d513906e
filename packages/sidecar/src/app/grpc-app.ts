import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import type { AnswerSink, Flow, OutgoingCall, Upstream } from '../flow/answer.ts';
import { isHopByHop } from '../flow/headers/hop-by-hop.ts';
import {
  InvokeRequestSchema,
  InvokeResponseSchema,
  HTTPExtension_Verb as Verb,
} from '../grpc/protos/common_pb.ts';
import { callUnary, type GrpcAnswer } from './grpc-call.ts';
import type { GrpcConnection } from './grpc-connection.ts';
import { invokeFields, verbNumber } from './invoke-fields.ts';
import { passRpc } from './pass-rpc.ts';
import {
  RPC_BYTES,
  RPC_METHOD,
  RPC_TYPE_URL,
  RPC_VERB,
  type RpcHead,
  rpcHead,
} from './rpc-answer.ts';

const ON_INVOKE = '/dapr.proto.runtime.v1.AppCallback/OnInvoke';

/** An application that speaks gRPC: HTTP's calls become `OnInvoke`, gRPC's own pass through. */
export class GrpcApp implements Upstream {
  readonly #connection: GrpcConnection;
  readonly #limitBytes: number;

  /** `limitBytes`: longest message either way. */
  constructor(connection: GrpcConnection, limitBytes: number) {
    this.#connection = connection;
    this.#limitBytes = limitBytes;
  }

  send(call: OutgoingCall, sink: AnswerSink): Flow {
    if (call.method === RPC_VERB) return passRpc(this.#connection, call, sink);
    if (call.body === null || Buffer.isBuffer(call.body))
      return this.#invoke(call, call.body, sink);
    return this.#collected(call, sink);
  }

  #invoke(call: OutgoingCall, body: Buffer | null, sink: AnswerSink): Flow {
    const { headers, request } = invokeRequest(call, body);
    const flow: Flow = callUnary(
      this.#connection,
      { path: ON_INVOKE, headers, body: toBinary(InvokeRequestSchema, request) },
      this.#limitBytes,
      (answer) => answered(answer, sink, flow),
      (error) => sink.fail(error),
    );
    return flow;
  }

  /** A message has a length before it is sent: a body that streams is read to its end first. */
  #collected(call: OutgoingCall, sink: AnswerSink): Flow {
    let flow: Flow | undefined;
    let ended = false;
    const stream = call.body as Exclude<OutgoingCall['body'], Buffer | null>;
    const chunks: Buffer[] = [];
    let bytes = 0;
    const fail = (error: Error): void => {
      if (ended) return;
      ended = true;
      sink.fail(error);
    };
    stream.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > this.#limitBytes) {
        stream.destroy();
        fail(new Error(`the body is longer than ${this.#limitBytes} bytes (--max-body-size)`));
      } else chunks.push(chunk);
    });
    stream.on('error', fail);
    stream.on('end', () => {
      if (ended) return;
      ended = true;
      flow = this.#invoke(call, Buffer.concat(chunks), sink);
    });
    return {
      pause: () => flow?.pause(),
      resume: () => flow?.resume(),
      abort(reason) {
        if (flow === undefined) ended = true;
        else flow.abort(reason);
      },
    };
  }
}

function invokeRequest(call: OutgoingCall, body: Buffer | null) {
  const metadata: string[] = [];
  for (let at = 0; at + 1 < call.headers.length; at += 2) {
    const header = call.headers[at]!;
    if (!IN_THE_MESSAGE.has(header) && !isHopByHop(header)) {
      metadata.push(metadataName(header), call.headers[at + 1]!);
    }
  }
  const { message, typeUrl } = invokeFields(call, verbNumber(call.method) ?? Verb.NONE);
  const data = { typeUrl, value: body ?? new Uint8Array() };
  return { headers: metadata, request: create(InvokeRequestSchema, { ...message, data }) };
}

const IN_THE_MESSAGE = new Set([RPC_TYPE_URL, RPC_BYTES, RPC_METHOD]);

/** As Dapr names HTTP's own headers among metadata. */
const metadataName = (name: string): string =>
  /^(?:accept|accept-charset|accept-language|accept-ranges|cache-control|content-.*|cookie|date|expect|host|if-.*|origin|referer|user-agent|via|warning)$/.test(
    name,
  )
    ? `dapr-${name}`
    : name;

function answered(answer: GrpcAnswer, sink: AnswerSink, flow: Flow): void {
  let data: ReturnType<typeof fromBinary<typeof InvokeResponseSchema>>['data'];
  let head: RpcHead;
  try {
    head = rpcHead(answer, () => {
      const response = fromBinary(InvokeResponseSchema, answer.body);
      data = response.data;
      return { contentType: response.contentType, typeUrl: data?.typeUrl ?? '' };
    });
  } catch (error) {
    sink.fail(
      new Error(`the application's answer is no InvokeResponse: ${(error as Error).message}`),
    );
    return;
  }
  sink.head(head.status, head.headers, flow);
  const bytes = head.body ?? Buffer.from(data?.value ?? []);
  sink.end(bytes.length === 0 ? null : bytes);
}

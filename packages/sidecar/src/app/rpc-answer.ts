import { headerValue } from '../flow/headers/header-value.ts';
import { httpStatusOf } from '../grpc/status/rpc-status.ts';

/**
 * How an answer of an application that speaks gRPC travels as an HTTP answer:
 * the status is what HTTP clients get, and in headers that only sidecars see
 * is what gRPC clients get.
 */
export const RPC_STATUS = 'holdfast-grpc-status';
/** Percent-encoded, as in gRPC itself. */
export const RPC_MESSAGE = 'holdfast-grpc-message';
/** Base64, as in gRPC itself. */
export const RPC_DETAILS = 'holdfast-grpc-details';
/** Before the name of each trailer. */
export const RPC_TRAILER = 'holdfast-grpc-trailer-';
/** The type of the data, either way. */
export const RPC_TYPE_URL = 'holdfast-grpc-type-url';
/** The verb of a call that is gRPC from end to end: it is passed on as it is. */
export const RPC_VERB = 'GRPC';

/** A call has metadata that are bytes (`-bin`, in Base64), or others of these: they are for applications that speak gRPC alone. */
export const RPC_BYTES = 'holdfast-grpc-bytes';

/** The name of the method as a client of the gRPC API wrote it, percent-encoded, where its path does not tell. */
export const RPC_METHOD = 'holdfast-grpc-method';

const PREFIX = 'holdfast-grpc-';

/** Takes out what HTTP clients are not to see; nothing is done where the application speaks HTTP. */
export function withoutRpcHeaders(headers: string[]): string[] {
  if (!headers.includes(RPC_STATUS)) return headers;
  const kept: string[] = [];
  for (let at = 0; at + 1 < headers.length; at += 2) {
    if (!headers[at]!.startsWith(PREFIX)) kept.push(headers[at]!, headers[at + 1]!);
  }
  return kept;
}

/** What a message with a type is to those that speak HTTP, whatever the client calls it. */
const TYPED = 'application/x-protobuf';

/** The headers of a call as those get them that speak HTTP: an application, or an address outside. */
export function withoutRpcBytes(headers: readonly string[]): readonly string[] {
  const typed = headerValue(headers, RPC_TYPE_URL) !== undefined;
  const kept = headers.filter((_, at) => {
    const name = headers[at - (at % 2)]!;
    if (typed && name === 'content-type') return false;
    return !name.startsWith(PREFIX) && !name.endsWith('-bin');
  });
  return typed ? [...kept, 'content-type', TYPED] : kept;
}

/** What is in `RPC_METHOD`; undefined where nothing is, or nothing that can be read. */
export function rpcMethodOf(headers: readonly string[]): string | undefined {
  const written = headerValue(headers, RPC_METHOD);
  if (written === undefined) return undefined;
  try {
    return decodeURIComponent(written);
  } catch {
    return undefined;
  }
}

/** What an application that speaks gRPC answered, whoever passed it on. */
export interface RpcAnswer {
  readonly code: number;
  readonly message: string;
  /** Base64 of `google.rpc.Status`; empty without one. */
  readonly details: string;
  /** `name, value, …`; it is changed. */
  readonly headers: string[];
  readonly trailers: readonly string[];
}

/** Beside them, of an answer that went well. */
export interface RpcData {
  readonly contentType: string;
  readonly typeUrl: string;
}

/** An answer as HTTP clients see it, with what gRPC clients see beside it; `body` stands in for that of a failure. */
export interface RpcHead {
  readonly status: number;
  readonly headers: string[];
  readonly body: Buffer | undefined;
}

/** `data` is asked for only where all went well. */
export function rpcHead(
  { code, details, headers, message, trailers }: RpcAnswer,
  data: () => RpcData,
): RpcHead {
  headers.push(RPC_STATUS, String(code));
  for (let at = 0; at + 1 < trailers.length; at += 2) {
    headers.push(RPC_TRAILER + trailers[at]!, trailers[at + 1]!);
  }
  if (code !== 0) {
    headers.push('content-type', 'application/json', RPC_MESSAGE, encodeURIComponent(message));
    if (details !== '') headers.push(RPC_DETAILS, details);
    const body = Buffer.from(JSON.stringify({ code, message }));
    return { status: httpStatusOf(code), headers, body };
  }
  const { contentType, typeUrl } = data();
  headers.push('content-type', contentType || TYPED);
  if (typeUrl !== '') headers.push(RPC_TYPE_URL, typeUrl);
  return { status: 200, headers, body: undefined };
}

import { create, fromBinary, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import {
  RPC_DETAILS,
  RPC_MESSAGE,
  RPC_STATUS,
  RPC_TRAILER,
  RPC_TYPE_URL,
} from '../../app/rpc-answer.ts';
import { StatusSchema } from '../../grpc/protos/error_details_pb.ts';
import type {
  InternalInvokeResponse,
  InternalInvokeResponseSchema,
} from '../../grpc/protos/service_invocation_pb.ts';
import { httpStatusOf } from '../../grpc/status/rpc-status.ts';
import { headerLists, headersOf, headerValue, pairs } from './header-lists.ts';

type Response = MessageInitShape<typeof InternalInvokeResponseSchema>;

/** The head of an application's answer as daprd's sidecars say it to each other. */
export interface SaidHead {
  readonly response: Response;
  /** Whether the body goes along: that of a failed gRPC call is our words for HTTP clients. */
  readonly withBody: boolean;
}

export function saidHead(status: number, headers: readonly string[]): SaidHead {
  const passed: (readonly [string, string])[] = [];
  const trailers: (readonly [string, string])[] = [];
  const ours = new Map<string, string>();
  for (const [name, value] of pairs(headers)) {
    if (name.startsWith(RPC_TRAILER)) trailers.push([name.slice(RPC_TRAILER.length), value]);
    else if (name.startsWith('holdfast-grpc-')) ours.set(name, value);
    else passed.push([name, value]);
  }
  const rpcStatus = ours.get(RPC_STATUS);
  const failed = rpcStatus !== undefined && rpcStatus !== '0';
  const contentType = failed ? '' : (passed.find(([name]) => name === 'content-type')?.[1] ?? '');
  const response: Response = {
    status:
      rpcStatus === undefined
        ? { code: status }
        : {
            code: Number(rpcStatus),
            message: decodeURIComponent(ours.get(RPC_MESSAGE) ?? ''),
            details: detailsOf(ours.get(RPC_DETAILS)),
          },
    headers: headerLists(passed),
    trailers: headerLists(trailers),
    message: { contentType, data: { typeUrl: ours.get(RPC_TYPE_URL) ?? '' } },
  };
  return { response, withBody: !failed };
}

function detailsOf(text: string | undefined) {
  if (text === undefined) return [];
  try {
    return fromBinary(StatusSchema, Buffer.from(text, 'base64')).details;
  } catch {
    // Details that cannot be read are no reason to lose the error.
    return [];
  }
}

/** The head of an answer as sidecars of ours have it. */
export interface HeardHead {
  readonly status: number;
  readonly headers: string[];
  /** In place of what follows. */
  readonly body: Buffer | undefined;
}

/**
 * What daprd's sidecar answered for its application; undefined where it says nothing of how it went.
 *
 * @throws BadHeaderError
 */
export function heardHead({
  status,
  headers: lists,
  trailers,
  message,
}: InternalInvokeResponse): HeardHead | undefined {
  if (status === undefined) return undefined;
  const { code, message: words, details } = status;
  const headers = [...headersOf(lists)].flat();
  const contentType = message?.contentType ?? '';
  const typeUrl = message?.data?.typeUrl ?? '';
  const type = contentType === '' ? [] : ['content-type', headerValue('content-type', contentType)];
  // From 100 on it is an application's that speaks HTTP.
  if (code >= 100) return { status: code, headers: [...headers, ...type], body: undefined };
  if (code === 0 && message === undefined) return eventStream(headers);
  headers.push(RPC_STATUS, String(code));
  for (const [name, value] of headersOf(trailers)) headers.push(RPC_TRAILER + name, value);
  if (code === 0) {
    headers.push('content-type', contentType || 'application/x-protobuf');
    if (typeUrl !== '') headers.push(RPC_TYPE_URL, headerValue(RPC_TYPE_URL, typeUrl));
    return { status: 200, headers, body: undefined };
  }
  headers.push('content-type', 'application/json', RPC_MESSAGE, encodeURIComponent(words));
  if (details.length > 0) {
    const all = toBinary(StatusSchema, create(StatusSchema, { code, message: words, details }));
    headers.push(RPC_DETAILS, Buffer.from(all).toString('base64'));
  }
  const body = Buffer.from(JSON.stringify({ code, message: words }));
  return { status: httpStatusOf(code), headers, body };
}

/** What daprd makes of any answer to who accepts nothing but a stream of events: of its own words none is there. */
function eventStream(given: string[]): HeardHead {
  const headers = given.filter(
    (_, at) => !/^(?:cache-control|content-length)$/.test(given[at - (at % 2)]!),
  );
  headers.push('content-type', 'text/event-stream', 'cache-control', 'no-cache');
  return { status: 200, headers, body: undefined };
}

import { create, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import {
  RPC_DETAILS,
  RPC_MESSAGE,
  RPC_STATUS,
  RPC_TRAILER,
  RPC_TYPE_URL,
  type RpcHead,
  rpcHead,
} from '../../app/rpc-answer.ts';
import { headerPairs } from '../../flow/headers/header-pairs.ts';
import { StatusSchema } from '../../grpc/protos/error_details_pb.ts';
import type {
  InternalInvokeResponse,
  InternalInvokeResponseSchema,
} from '../../grpc/protos/service_invocation_pb.ts';
import { statusDetails } from '../../grpc/status/status-details.ts';
import { headerLists, headersOf, headerValue } from './header-lists.ts';

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
  for (const [name, value] of headerPairs(headers)) {
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
            details: [...statusDetails(ours.get(RPC_DETAILS))],
          },
    headers: rpcStatus === undefined ? headerLists(passed) : rpcLists(passed),
    trailers: headerLists(trailers),
    message: { contentType, data: { typeUrl: ours.get(RPC_TYPE_URL) ?? '' } },
  };
  return { response, withBody: !failed };
}

/** By this type of the answer itself daprd knows whose it is, and in which form it names a trace. */
const rpcLists = (passed: readonly (readonly [string, string])[]) => ({
  ...headerLists(passed.filter(([name]) => name !== 'content-type')),
  'content-type': { values: ['application/grpc'] },
});

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
}: InternalInvokeResponse): RpcHead | undefined {
  if (status === undefined) return undefined;
  const { code, message: words, details } = status;
  const headers = [...headersOf(lists)].flat();
  const contentType = message?.contentType ?? '';
  const type = contentType === '' ? [] : ['content-type', headerValue('content-type', contentType)];
  // From 100 on it is an application's that speaks HTTP.
  if (code >= 100) return { status: code, headers: [...headers, ...type], body: undefined };
  if (code === 0 && message === undefined) return eventStream(headers);
  const said = { code, message: words, headers, trailers: [...headersOf(trailers)].flat() };
  const all = () => toBinary(StatusSchema, create(StatusSchema, { code, message: words, details }));
  const inBase64 = details.length === 0 ? '' : Buffer.from(all()).toString('base64');
  return rpcHead({ ...said, details: inBase64 }, () => ({
    contentType,
    typeUrl: headerValue(RPC_TYPE_URL, message?.data?.typeUrl ?? ''),
  }));
}

/** What daprd makes of any answer to who accepts nothing but a stream of events: of its own words none is there. */
function eventStream(given: string[]): RpcHead {
  const headers = given.filter(
    (_, at) => !/^(?:cache-control|content-length)$/.test(given[at - (at % 2)]!),
  );
  headers.push('content-type', 'text/event-stream', 'cache-control', 'no-cache');
  return { status: 200, headers, body: undefined };
}

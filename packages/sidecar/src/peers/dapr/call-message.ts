import type { MessageInitShape } from '@bufbuild/protobuf';
import { invokeFields, verbName, verbNumber } from '../../app/invoke-fields.ts';
import { RPC_BYTES, RPC_METHOD, RPC_TYPE_URL } from '../../app/rpc-answer.ts';
import type { OutgoingCall } from '../../flow/answer.ts';
import { headerPairs } from '../../flow/headers/header-pairs.ts';
import { UpstreamError } from '../../flow/upstream-error.ts';
import { APIVersion } from '../../grpc/protos/apiversion_pb.ts';
import { HTTPExtension_Verb as Verb } from '../../grpc/protos/common_pb.ts';
import type {
  InternalInvokeRequest,
  InternalInvokeRequestSchema,
} from '../../grpc/protos/service_invocation_pb.ts';
import { cleanRpcMethod } from '../../invoke/rpc-method.ts';
import { BadHeaderError, headerLists, headersOf, headerValue } from './header-lists.ts';

type Request = MessageInitShape<typeof InternalInvokeRequestSchema>;

/**
 * A call as daprd's sidecars say it to each other; its body goes apart.
 *
 * @throws UpstreamError `REFUSED` for a verb that they have no number for
 */
export function requestOf(call: OutgoingCall): Request {
  const { method, headers } = call;
  const verb = verbNumber(method);
  if (verb === undefined) {
    const why = `the other side is daprd, to which ${method} cannot be said`;
    throw new UpstreamError('REFUSED', `rpc error: code = InvalidArgument desc = ${why}`);
  }
  const passed: (readonly [string, string])[] = [];
  for (const [header, value] of headerPairs(headers)) {
    if (!IN_THE_MESSAGE.has(header)) passed.push([header, value]);
    if (header === 'dapr-callee-app-id') passed.push(['destination-app-id', value]);
  }
  const { message, typeUrl } = invokeFields(call, verb);
  return {
    ver: APIVersion.V1,
    metadata: headerLists(passed),
    message: { ...message, data: { typeUrl } },
  };
}

const IN_THE_MESSAGE = new Set(['content-type', RPC_TYPE_URL, RPC_BYTES, RPC_METHOD]);

/** What a message of daprd's asks for; or why it cannot be. */
export type Asked =
  | {
      readonly kind: 'call';
      readonly call: Omit<OutgoingCall, 'body'> & { readonly headers: string[] };
      /** What it says of its body; undefined: nothing. */
      readonly bodyBytes: number | undefined;
    }
  | { readonly kind: 'refused'; readonly why: string };

/** `trace` is the call's own `traceparent` and `tracestate`: the caller's span, which the message need not have. */
export function askedBy(
  { metadata, message }: InternalInvokeRequest,
  trace: { readonly parent: string | undefined; readonly state: string | undefined },
): Asked {
  if (message === undefined) {
    return refused('request does not contain the required fields in the leading chunk');
  }
  const method = cleanRpcMethod(message.method);
  if ('refused' in method) return refused(method.refused);
  const { verb = Verb.NONE, querystring = '' } = message.httpExtension ?? {};
  if (verb === Verb.CONNECT) return refused('invalid HTTP verb');
  const headers: string[] = [];
  let bytes = false;
  let parent = trace.parent;
  let state = trace.state;
  let bodyBytes: number | undefined;
  const typeUrl = message.data?.typeUrl ?? '';
  try {
    for (const [name, value] of headersOf(metadata)) {
      if (name === 'traceparent') parent ??= value;
      else if (name === 'tracestate') state ??= value;
      else if (name === 'content-length') bodyBytes = /^\d{1,15}$/.test(value) ? +value : undefined;
      else if (name !== 'destination-app-id' && !OURS.test(name)) headers.push(name, value);
      if (name.endsWith('-bin')) bytes = true;
    }
    const { contentType } = message;
    if (contentType !== '') headers.push('content-type', headerValue('content-type', contentType));
    if (typeUrl !== '') headers.push(RPC_TYPE_URL, headerValue(RPC_TYPE_URL, typeUrl));
  } catch (error) {
    if (error instanceof BadHeaderError) return refused(error.message);
    throw error;
  }
  if (method.name !== undefined) headers.push(RPC_METHOD, encodeURIComponent(method.name));
  if (bytes || method.name !== undefined || typeUrl !== '') headers.push(RPC_BYTES, 'true');
  if (state !== undefined) headers.push('tracestate', state);
  // Last, where it is looked for.
  if (parent !== undefined) headers.push('traceparent', parent);
  const query = querystring.replace(/^\?/, '');
  const path = `/${method.path}${query === '' ? '' : `?${encoded(query)}`}`;
  const call = { method: verbName(verb), path, headers };
  return { kind: 'call', call, bodyBytes };
}

/** What a query may not hold is escaped; its escapes stay. */
const encoded = (query: string): string => encodeURI(query).replaceAll('%25', '%');

const refused = (why: string): Asked => ({ kind: 'refused', why });

/** What only sidecars of ours say to each other, and what is gRPC's trace in another form. */
const OURS = /^holdfast-grpc-|^grpc-trace-bin$/;

import { Code, ConnectError, type HandlerContext } from '@connectrpc/connect';
import { type Clock, isPolicyError } from '@holdfast/core';
import { formatTraceparent } from '@holdfast/core/trace';
import { verbName } from '../../app/invoke-fields.ts';
import { RPC_BYTES, RPC_METHOD, RPC_TYPE_URL, withoutRpcBytes } from '../../app/rpc-answer.ts';
import { AnswerTooLargeError, collectAnswer } from '../../flow/collect-answer.ts';
import { withoutCredentials } from '../../flow/headers/without-credentials.ts';
import type { PendingAnswer } from '../../flow/pending-answer.ts';
import { countAttempt } from '../../invoke/count-attempt.ts';
import {
  type CallerIdentity,
  forwardHeaders,
  outsideHeaders,
} from '../../invoke/forward-headers.ts';
import { Invocation } from '../../invoke/invocation.ts';
import { failureWords } from '../../invoke/invoke-error.ts';
import { cleanRpcMethod, type RpcMethod } from '../../invoke/rpc-method.ts';
import type { Destination, Upstreams } from '../../invoke/upstreams.ts';
import type { SidecarMetrics } from '../../metrics/sidecar-metrics.ts';
import type { PolicyBook } from '../../policies/policy-book.ts';
import { ApiError } from '../../server/api-error.ts';
import { nameInvocation } from '../../trace/api-span.ts';
import { parentOf } from '../../trace/trace-bin.ts';
import { pushTrace, recorded } from '../../trace/tracing.ts';
import { HTTPExtension_Verb as Verb } from '../protos/common_pb.ts';
import type { InvokeServiceRequest } from '../protos/invoke_pb.ts';
import { refusalOf } from '../status/rpc-error.ts';
import { METADATA } from '../wire/request-lines.ts';
import { SPAN } from './call-guard.ts';
import { invokeResponse } from './invoke-response.ts';
import { metadataHeaders } from './metadata-headers.ts';

export interface InvokeRpcOptions {
  readonly caller: CallerIdentity;
  readonly upstreams: Upstreams;
  readonly book: PolicyBook;
  readonly metrics: SidecarMetrics;
  readonly clock: Clock;
  /** Whether a token is asked of clients: then theirs stays here. */
  readonly tokenRequired: boolean;
  /** Longest answer: it is one message. */
  readonly maxBodyBytes: number;
}

/** Invocation over gRPC: the call that an HTTP client would have sent, and its answer as a message. */
export class InvokeRpc {
  readonly #options: InvokeRpcOptions;

  constructor(options: InvokeRpcOptions) {
    this.#options = options;
  }

  async invoke(request: InvokeServiceRequest, context: HandlerContext) {
    const { id } = request;
    if (id === '') throw failed(id, new Error('app id is empty'), 0);
    const { upstreams, metrics, maxBodyBytes } = this.#options;
    const method = cleanRpcMethod(request.message?.method ?? '');
    if ('refused' in method) {
      const why = `rpc error: code = InvalidArgument desc = ${method.refused}`;
      throw failed(id, new Error(why), 0);
    }
    const destination = upstreams.find(id);
    if (destination.kind === 'refused') throw failed(id, new Error(destination.why), 0);
    const span = recorded(context.values.get(SPAN));
    if (span !== undefined) nameInvocation(span, id, method.path);

    const { invocation, policies } = this.#plan(request, context, destination, method);
    const gone = () => invocation.abandon();
    context.signal.addEventListener('abort', gone);
    if (policies !== undefined) metrics.applied(id, policies, undefined);
    let answer: PendingAnswer;
    let body: Buffer;
    try {
      answer = await invocation.run();
      body = await collectAnswer(answer, maxBodyBytes);
    } catch (error) {
      throw failed(id, error, invocation.attempts);
    } finally {
      context.signal.removeEventListener('abort', gone);
    }
    const live = context.values.get(SPAN);
    if (live !== undefined) context.responseHeader.set('traceparent', formatTraceparent(live));
    return invokeResponse(answer, body, invocation, context);
  }

  #plan(
    { id, message }: InvokeServiceRequest,
    context: HandlerContext,
    destination: Exclude<Destination, { readonly kind: 'refused' }>,
    { name, path: method }: RpcMethod,
  ) {
    const { book, caller, tokenRequired, upstreams } = this.#options;
    const verb = verbName(message?.httpExtension?.verb ?? Verb.NONE);
    const querystring = message?.httpExtension?.querystring ?? '';
    const body = message?.data === undefined ? null : viewOf(message.data.value);
    const span = context.values.get(SPAN);
    const sized = body !== null && body.length > 0;
    const outside = destination.kind === 'outside' ? destination : undefined;
    const inMesh = forwardHeaders(metadataHeaders(context.values.get(METADATA)), {
      passToken: !tokenRequired,
      body: sized ? 'sized' : 'none',
      bodyLength: body?.length ?? 0,
      extra: [
        // Of what HTTP/2 has in place of a line: gRPC shows this one.
        ...['dapr-authority', new URL(context.url).host],
        ...(message?.contentType ? ['content-type', message.contentType] : []),
        ...forGrpc(name, message),
      ],
      ...(destination.kind === 'peer' ? { via: { caller, calleeAppId: destination.appId } } : {}),
    });
    const headers =
      outside === undefined ? inMesh : outsideHeaders([...withoutRpcBytes(inMesh)], outside);
    if (span !== undefined) pushTrace(headers, span);
    else {
      // Where there are no traces here, the client's own goes on as it is, in the form that applications know.
      const own = parentOf(context.requestHeader.get('grpc-trace-bin') ?? undefined, undefined);
      if (own !== undefined) headers.push('traceparent', own);
    }
    const target = book.forTarget(id).forMethod(verb, method);
    const pipeline = target.pipelineFor(outside?.oneCircuit === true ? '' : method);
    const base = outside?.basePath ?? '';
    const slash = base === '' || method !== '' ? '/' : '';
    const query = querystring === '' ? '' : `?${querystring.replace(/^\?/, '')}`;
    const unlisted = !target.policies.listed && destination.kind === 'peer';
    const invocation = new Invocation({
      method: verb,
      path: `${base}${slash}${method}${query}`,
      headers,
      destination,
      body: sized ? body : null,
      pipeline,
      builtIn: unlisted ? book.builtInRetries : undefined,
      upstreams,
      span: recorded(span),
      count: (appId) => countAttempt(this.#options, appId, 'unary'),
    });
    return { invocation, policies: pipeline === undefined ? undefined : target.policies };
  }
}

/** What only an application over gRPC is told. */
function forGrpc(name: string | undefined, message: InvokeServiceRequest['message']): string[] {
  const typeUrl = message?.data?.typeUrl ?? '';
  const headers: string[] = [];
  if (name !== undefined) headers.push(RPC_METHOD, encodeURIComponent(name));
  if (typeUrl !== '') headers.push(RPC_TYPE_URL, typeUrl);
  return headers.length === 0 ? headers : [...headers, RPC_BYTES, 'true'];
}

/** Dapr's words, and its codes: a policy's refusal is told as it is. */
function failed(id: string, error: unknown, attempts: number): ConnectError {
  const words = failureWords(error);
  if (isPolicyError(error)) {
    const metadata = refusalOf(error);
    metadata.set('holdfast-attempts', String(attempts));
    return new ConnectError(words, policyCode(error.code), metadata, undefined, error);
  }
  const text = withoutCredentials(`failed to invoke, id: ${id}, err: ${words}`);
  if (error instanceof AnswerTooLargeError) return new ConnectError(text, Code.ResourceExhausted);
  const cause = new ApiError(500, 'ERR_DIRECT_INVOKE', text, { cause: error });
  return new ConnectError(text, Code.Internal, undefined, undefined, cause);
}

function policyCode(code: string): Code {
  switch (code) {
    case 'TIMED_OUT':
    case 'DEADLINE_EXCEEDED':
      return Code.DeadlineExceeded;
    case 'CIRCUIT_OPEN':
    case 'CIRCUIT_BUSY':
      // As Dapr has it: a status that says nothing; the metadata beside it do.
      return Code.Unknown;
    default:
      return Code.ResourceExhausted;
  }
}

/** Not a copy: nobody keeps it for longer than the call. */
const viewOf = ({ buffer, byteLength, byteOffset }: Uint8Array): Buffer =>
  Buffer.from(buffer, byteOffset, byteLength);

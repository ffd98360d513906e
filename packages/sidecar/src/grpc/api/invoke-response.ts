import { type Code, ConnectError, type HandlerContext } from '@connectrpc/connect';
import { formatTraceparent, parseTraceparent } from '@holdfast/core/trace';
import {
  RPC_DETAILS,
  RPC_MESSAGE,
  RPC_STATUS,
  RPC_TRAILER,
  RPC_TYPE_URL,
} from '../../app/rpc-answer.ts';
import { isHopByHop } from '../../flow/headers/hop-by-hop.ts';
import type { PendingAnswer } from '../../flow/pending-answer.ts';
import type { Invocation } from '../../invoke/invocation.ts';
import { latin1 } from '../../invoke/invoke-error.ts';
import { parentOf, traceBin } from '../../trace/trace-bin.ts';
import { httpStatusError } from '../status/http-status-error.ts';
import { statusDetails } from '../status/status-details.ts';
import { LINES } from '../wire/answer-lines.ts';

/** The answer of an application as the message that Dapr makes of it; an error where it is one. */
export function invokeResponse(
  answer: PendingAnswer,
  body: Buffer,
  { attempts, degraded }: Invocation,
  { responseHeader, values: context }: HandlerContext,
) {
  const lines = context.get(LINES);
  const values = new Map<string, string>();
  for (let at = 0; at + 1 < answer.headers.length; at += 2) {
    const name = answer.headers[at]!;
    const value = answer.headers[at + 1]!;
    values.set(name, value);
    if (name.startsWith(RPC_TRAILER)) lines?.trailers.push(name.slice(RPC_TRAILER.length), value);
    else if (!name.startsWith('holdfast-grpc-') && !isHopByHop(name) && !isTrace(name)) {
      lines?.head.push(shown(name), value);
    }
  }
  if (attempts > 1) responseHeader.set('holdfast-attempts', String(attempts));
  if (degraded !== undefined) responseHeader.set('holdfast-degraded', latin1(degraded));
  const rpcStatus = values.get(RPC_STATUS);
  tellTrace(responseHeader, values, rpcStatus !== undefined);
  if (rpcStatus === undefined) responseHeader.set('dapr-http-status', String(answer.status));
  const error =
    rpcStatus === undefined
      ? httpStatusError(answer.status, body.toString('utf8'))
      : rpcFailure(Number(rpcStatus), values);
  if (error !== undefined) throw error;
  return {
    contentType: values.get('content-type') ?? '',
    data: { typeUrl: values.get(RPC_TYPE_URL) ?? '', value: body },
  };
}

/** An application that speaks gRPC names its trace in the one form, one that speaks HTTP in the other. */
const isTrace = (name: string): boolean =>
  name === 'traceparent' || name === 'tracestate' || name === 'grpc-trace-bin';

/** The trace that the application names, in both forms, in place of the sidecar's own. */
function tellTrace(
  responseHeader: Headers,
  values: ReadonlyMap<string, string>,
  isRpc: boolean,
): void {
  const named = isRpc
    ? parentOf(values.get('grpc-trace-bin'), undefined)
    : values.get('traceparent');
  const trace = parseTraceparent(named);
  if (trace === undefined) return;
  responseHeader.set('traceparent', formatTraceparent(trace));
  responseHeader.set('grpc-trace-bin', traceBin(trace));
}

/** Names that gRPC has for itself. */
const shown = (name: string): string =>
  /^(?:content-type|content-length|date|grpc-.*)$/.test(name) ? `dapr-${name}` : name;

/** The application's own error, to the letter. */
function rpcFailure(code: number, values: ReadonlyMap<string, string>): ConnectError | undefined {
  if (code === 0) return undefined;
  const message = decodeURIComponent(values.get(RPC_MESSAGE) ?? '');
  const error = new ConnectError(message, code as Code);
  for (const { typeUrl, value } of statusDetails(values.get(RPC_DETAILS))) {
    error.details.push({ type: typeUrl.slice(typeUrl.lastIndexOf('/') + 1), value });
  }
  return error;
}

import {
  Code,
  ConnectError,
  createContextKey,
  type Interceptor,
  type StreamResponse,
  type UnaryResponse,
} from '@connectrpc/connect';
import type { Clock } from '@holdfast/core';
import { apiOfGrpcMethod, METHOD_NOT_OFFERED } from '../../access/api-of-grpc-method.ts';
import { type ApiRules, offersApi } from '../../access/api-rules.ts';
import { forClient } from '../../components/waiting-client.ts';
import type { SidecarMetrics } from '../../metrics/sidecar-metrics.ts';
import { ApiError } from '../../server/api-error.ts';
import { badBaggage } from '../../trace/baggage.ts';
import { describeRpcSpan } from '../../trace/rpc-span.ts';
import { parentOf, traceBin } from '../../trace/trace-bin.ts';
import { recorded, type Span, type Tracing } from '../../trace/tracing.ts';
import type { LogRpc } from '../rpc-log.ts';
import { httpStatusError } from '../status/http-status-error.ts';
import { rpcError } from '../status/rpc-error.ts';
import { statusName } from '../status/rpc-status.ts';
import { WIRE } from '../wire/wire-bytes.ts';

export interface CallGuardOptions {
  readonly clock: Clock;
  readonly tracing: Tracing;
  readonly metrics: Pick<SidecarMetrics, 'servedRpc' | 'errored'>;
  /** Whether a client with this token may call. */
  readonly allowed: (token: string | undefined) => boolean;
  /** Which APIs are offered, as it is now; undefined: all. */
  readonly apiRules: () => ApiRules | undefined;
  /** Told of each call that has ended. */
  readonly logCall: LogRpc;
}

/** The span of the call that a handler is answering. */
export const SPAN = createContextKey<Span | undefined>(undefined, { description: 'span' });

/** The code of an error that is not the call's own, but said in its answer. */
export const SAID_ERROR = createContextKey<string | undefined>(undefined, {
  description: 'code of the error in the answer',
});

/**
 * What every call of the gRPC API passes: token, trace, errors in Dapr's form, metrics, log. As in
 * Dapr, a call that is turned away at the door is in none of them.
 */
export function callGuard({
  allowed,
  apiRules,
  clock,
  logCall,
  metrics,
  tracing,
}: CallGuardOptions): Interceptor {
  const refused = (token: string | null, path: string): ConnectError | undefined => {
    const rules = apiRules();
    if (rules !== undefined && !offersApi(rules, apiOfGrpcMethod(path)!, 'grpc')) {
      return httpStatusError(501, METHOD_NOT_OFFERED);
    }
    if (allowed(token ?? undefined)) return undefined;
    const why = token === null ? 'missing api token in request metadata' : MISMATCH;
    return httpStatusError(401, why);
  };
  return (next) => async (req) => {
    const begunMs = clock.now();
    const path = `/${req.service.typeName}/${req.method.name}`;
    const refusal = refused(req.header.get('dapr-api-token'), path);
    if (refusal !== undefined) throw refusal;
    // Only where there are traces is it looked at, as in Dapr.
    const baggage = tracing.on ? req.header.get('baggage') : null;
    const bad = badBaggage(baggage);
    if (bad !== undefined) throw new ConnectError(bad, Code.InvalidArgument);
    const span = tracing.on ? beginSpan(tracing, path, req.header) : undefined;
    const live = recorded(span);
    if (live !== undefined)
      describeRpcSpan(live, path, req.header, req.stream ? undefined : req.message);
    req.contextValues.set(SPAN, span);
    let ended = false;
    const end = (error?: ConnectError): void => {
      if (ended) return;
      ended = true;
      const status = error === undefined ? 'OK' : statusName(error.code);
      const ms = clock.now() - begunMs;
      const wire = req.contextValues.get(WIRE);
      // A stream has no size, as in Dapr; that of one message is known when it has gone out.
      if (req.stream || wire === undefined) metrics.servedRpc(path, status, ms);
      else wire.onEnd = (bytes) => metrics.servedRpc(path, status, ms, bytes);
      countError(error, req.contextValues.get(SAID_ERROR), metrics);
      live?.set('dapr.status_code', String(error?.code ?? 0));
      live?.end(error === undefined ? undefined : error.rawMessage);
      logCall(path, error?.code ?? 0, ms, req.header.get('user-agent'), span);
    };
    const failed = (thrown: unknown): ConnectError => {
      const error = rpcError(thrown);
      if (span !== undefined) error.metadata.set('grpc-trace-bin', traceBin(span));
      end(error);
      return error;
    };
    let res: UnaryResponse | StreamResponse;
    try {
      res = await forClient(
        () => req.signal,
        () => next(req),
      );
    } catch (thrown) {
      throw failed(thrown);
    }
    // An application that was called may have named one.
    if (span !== undefined && !res.header.has('grpc-trace-bin')) {
      res.header.set('grpc-trace-bin', traceBin(span));
    }
    if (baggage !== null) res.header.set('baggage', baggage);
    if (!res.stream) {
      end();
      return res;
    }
    return { ...res, message: watched(res.message, end, failed) };
  };
}

const MISMATCH = 'authentication error: api token mismatch';

/** Messages on their way; what becomes of them is told at the end. */
async function* watched<T>(
  messages: AsyncIterable<T>,
  end: (error?: ConnectError) => void,
  failed: (thrown: unknown) => ConnectError,
): AsyncIterable<T> {
  try {
    yield* messages;
    end();
  } catch (thrown) {
    throw failed(thrown);
  } finally {
    // The client went away before the last message.
    end(new ConnectError('the client has gone', Code.Canceled));
  }
}

function countError(
  error: ConnectError | undefined,
  said: string | undefined,
  metrics: Pick<SidecarMetrics, 'errored'>,
): void {
  if (error === undefined && said !== undefined) metrics.errored(said, undefined);
  if (!(error?.cause instanceof ApiError)) return;
  const { errorCode, reason } = error.cause;
  metrics.errored(errorCode, reason);
}

function beginSpan(tracing: Tracing, path: string, header: Headers): Span | undefined {
  const bin = header.get('grpc-trace-bin') ?? undefined;
  const parent = parentOf(bin, header.get('traceparent') ?? undefined);
  // As in Dapr: who calls its API is about to call somebody, and the sidecar is where that begins.
  return tracing.begin(path, 'client', parent, header.get('tracestate') ?? undefined);
}

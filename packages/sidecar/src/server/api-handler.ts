import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Clock } from '@holdfast/core';
import type { Logger } from '@holdfast/telemetry/log';
import { withoutCredentials } from '../flow/headers/without-credentials.ts';
import type { SidecarMetrics } from '../metrics/sidecar-metrics.ts';
import { describeApiSpan, endApiSpan } from '../trace/api-span.ts';
import { badBaggage } from '../trace/baggage.ts';
import { logIds, recorded, type Tracing } from '../trace/tracing.ts';
import { ApiCall } from './api-call.ts';
import { reasonOf } from './api-error.ts';
import type { LogApiCall } from './api-log.ts';
import type { Cors } from './cors.ts';
import type { HeadFault } from './head-fault.ts';
import { type RequestHead, readRequestHead } from './request-head.ts';

export interface ApiHandlerOptions {
  readonly clock: Clock;
  readonly log: Logger;
  readonly tracing: Tracing;
  readonly metrics: SidecarMetrics;
  readonly allowed: (token: string | undefined) => boolean;
  /** What browsers are told; absent: nothing. */
  readonly cors?: Cors | undefined;
  /** Told of each call that has been answered. */
  readonly logCall?: LogApiCall | undefined;
  /** Middleware may need time before it knows where a request goes. */
  readonly route: (call: ApiCall) => void | Promise<void>;
}

/** Health probes, which are `GET`, are answered without a token, and are no part of a trace. */
const HEALTH = /^\/v1\.0\/healthz(?:\/outbound)?\/?$/;

/** What no URL may hold: then nothing that follows can be sure what was meant. */
const BROKEN_ESCAPE = /%(?![0-9A-Fa-f]{2})/;

/** What every request to the API passes before its route: trace, metrics, baggage, token. */
export function apiHandler(options: ApiHandlerOptions): RequestListener {
  const { clock, log, tracing, metrics, logCall, route } = options;
  return (req: IncomingMessage, res: ServerResponse) => {
    const read = readRequestHead(req);
    const probe = isProbe(read);
    // Only where there are traces is baggage more than a header, as in Dapr.
    const bare = read.baggage !== undefined && (probe || !tracing.on);
    const head = bare ? { ...read, baggage: undefined } : read;
    const traced = !head.path.includes('/healthz');
    const span = traced
      ? tracing.begin(withoutCredentials(head.path), 'client', head.traceparent, head.tracestate)
      : undefined;
    const live = recorded(span);
    if (live !== undefined) {
      const { remoteAddress: address, remotePort: port } = req.socket;
      describeApiSpan(live, head, { address, port });
    }
    const call = new ApiCall(req, res, head, span, clock.now());
    res.on('close', () => {
      const status = res.headersSent ? res.statusCode : 499;
      const ms = clock.now() - call.startedMs;
      metrics.served(
        head.method,
        withoutCredentials(head.path),
        status,
        ms,
        Math.max(0, head.bodyLength),
        call.bytesOut,
      );
      if (live !== undefined) endApiSpan(live, status);
      if (status < 200 || status >= 400) countError(call, metrics);
      logCall?.(call, status, ms, probe);
    });
    if (goesNoFurther(call, probe, options)) return;
    // A fault of ours costs one request, never the sidecar.
    const failed = (error: unknown): void => {
      log.error('A request failed for a reason of the sidecar.', {
        path: withoutCredentials(head.path),
        error: stackOf(error),
        ...logIds(call.span),
      });
      call.failed(error);
    };
    try {
      const later = route(call);
      if (later !== undefined) later.catch(failed);
    } catch (error) {
      failed(error);
    }
  };
}

/** Any other verb is an invocation, where a header names an app: that is not to be had for nothing. */
const isProbe = ({ method, path }: RequestHead): boolean =>
  path.startsWith('/v1.0/healthz') && method === 'GET' && HEALTH.test(path);

/** Whether it has been answered here: it cannot be read, is a browser's question, or shows no token. */
function goesNoFurther(
  call: ApiCall,
  probe: boolean,
  { allowed, cors }: ApiHandlerOptions,
): boolean {
  const { head } = call;
  const fault = faultOf(head);
  if (fault !== undefined) {
    call.unreadable(fault);
    return true;
  }
  if (cors !== undefined) {
    // Before the token: a browser sends none with its preflight.
    const { headers, preflight } = cors(head);
    call.added.push(...headers);
    if (preflight) {
      call.answer(200, [], '');
      return true;
    }
  }
  if (probe || allowed(head.apiToken)) return false;
  call.plain(401, 'invalid api token');
  return true;
}

/** What makes a head unreadable, as words and status. */
function faultOf({ baggage, fault, path }: RequestHead): HeadFault | undefined {
  if (fault !== undefined) return fault;
  if (path.includes('%') && BROKEN_ESCAPE.test(path))
    return { status: 400, text: '400 Bad Request' };
  const bad = badBaggage(baggage);
  return bad === undefined ? undefined : { status: 400, text: bad };
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

/** An error of the API by its code; that of an invocation has one even where it is the application's. */
function countError({ refusal, reached, res }: ApiCall, metrics: SidecarMetrics): void {
  if (refusal !== undefined) {
    metrics.errored(refusal.errorCode, reasonOf(refusal.details));
  } else if (reached === 'invocation' && res.headersSent) {
    metrics.errored('ERR_DIRECT_INVOKE', undefined);
  }
}

import http2, { type Http2ServerRequest, type Http2ServerResponse } from 'node:http2';
import { createContextValues } from '@connectrpc/connect';
import { connectNodeAdapter } from '@connectrpc/connect-node';
import type { Logger } from '@holdfast/telemetry/log';
import type { ApiLogging } from '../resources/api-logging.ts';
import { type CallGuardOptions, callGuard } from './api/call-guard.ts';
import { type DaprServiceParts, daprService } from './api/dapr-service.ts';
import { InvokeRpc, type InvokeRpcOptions } from './api/invoke-rpc.ts';
import type { GrpcHandler } from './grpc-server.ts';
import { Dapr } from './protos/dapr_pb.ts';
import { RpcProxy } from './proxy/rpc-proxy.ts';
import { rpcLog } from './rpc-log.ts';
import { UnaryCalls } from './unary/unary-calls.ts';
import { LINES, linesOf, writeLines } from './wire/answer-lines.ts';
import { METADATA } from './wire/request-lines.ts';
import { speakOfSize } from './wire/size-words.ts';
import { WIRE, watchWire, wireOf } from './wire/wire-bytes.ts';

export interface GrpcHandlerOptions
  extends Omit<DaprServiceParts, 'invoke'>,
    InvokeRpcOptions,
    Pick<CallGuardOptions, 'tracing' | 'allowed' | 'apiRules'> {
  readonly log: Logger;
  readonly apiLogging: () => ApiLogging;
}

/** Nothing we answer is as long: Go's servers compress what a client compressed, and no more. */
const NEVER_BYTES = 2 ** 32 - 1;

/** Dapr's service, and the way through for every other. */
export function grpcHandler(options: GrpcHandlerOptions): GrpcHandler {
  const logCall = rpcLog(options.log, options.apiLogging);
  const proxy = new RpcProxy({ ...options, logCall });
  const parts = { ...options, invoke: new InvokeRpc(options) };
  const guard = callGuard({ ...options, logCall });
  const service = daprService(parts);
  const unary = new UnaryCalls({
    service: Dapr,
    answers: service,
    guard,
    maxMessageBytes: options.maxBodyBytes,
    clock: options.clock,
  });
  const others = connectNodeAdapter({
    connect: false,
    grpcWeb: false,
    readMaxBytes: options.maxBodyBytes,
    compressMinBytes: NEVER_BYTES,
    contextValues: (req) =>
      createContextValues()
        .set(WIRE, wireOf(req))
        .set(LINES, linesOf(req))
        .set(METADATA, req.rawHeaders),
    interceptors: [guard],
    routes: (router) => void router.service(Dapr, service),
    // Over HTTP/2 both are what node:http2 has.
    fallback: (req, res) => proxy.handle(req as never, res as never),
  }) as (req: Http2ServerRequest, res: Http2ServerResponse) => void;
  return (stream, headers, rawHeaders) => {
    if (unary.take(stream, headers, rawHeaders)) return;
    const req = new http2.Http2ServerRequest(stream, headers, {}, rawHeaders);
    const res = new http2.Http2ServerResponse(stream);
    // Proxied calls are passed on as they are, and have no size in Dapr's metrics.
    if (req.url.startsWith(DAPR)) {
      watchWire(req, res);
      writeLines(req, res);
      speakOfSize(res);
      // What nobody read of a request that was refused early would keep its stream, and the end of the session, for ever.
      res.stream.once('wantTrailers', () => {
        if (!req.complete) setImmediate(() => req.resume());
      });
    }
    others(req, res);
  };
}

const DAPR = `/${Dapr.typeName}/`;

import { connectNodeAdapter } from '@connectrpc/connect-node';
import { type CallGuardOptions, callGuard } from './call-guard.ts';
import { type DaprServiceParts, daprService } from './dapr-service.ts';
import type { GrpcHandler } from './grpc-server.ts';
import { InvokeRpc, type InvokeRpcOptions } from './invoke-rpc.ts';
import { Dapr } from './protos/dapr_pb.ts';
import { RpcProxy } from './rpc-proxy.ts';

export interface GrpcHandlerOptions
  extends Omit<DaprServiceParts, 'invoke'>,
    InvokeRpcOptions,
    Pick<CallGuardOptions, 'log' | 'tracing' | 'allowed' | 'apiRules' | 'apiLogging'> {}

/** Dapr's service, and the way through for every other. */
export function grpcHandler(options: GrpcHandlerOptions): GrpcHandler {
  const proxy = new RpcProxy(options);
  const parts = { ...options, invoke: new InvokeRpc(options) };
  return connectNodeAdapter({
    connect: false,
    grpcWeb: false,
    readMaxBytes: options.maxBodyBytes,
    interceptors: [callGuard(options)],
    routes: (router) => void router.service(Dapr, daprService(parts)),
    // Over HTTP/2 both are what node:http2 has.
    fallback: (req, res) => proxy.handle(req as never, res as never),
  }) as GrpcHandler;
}

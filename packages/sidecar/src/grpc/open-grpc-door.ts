import type { Closing } from '../closing.ts';
import type { ResolvedSidecarOptions } from '../options.ts';
import type { GrpcHandlerOptions } from './grpc-handler.ts';
import { type GrpcServer, startGrpcServer } from './grpc-server.ts';

/** Where clients of the gRPC API come in; undefined where the options ask for none. */
export async function openGrpcDoor(
  { grpcPort, listenAddresses, maxConnections }: ResolvedSidecarOptions,
  closing: Closing,
  handling: () => GrpcHandlerOptions,
): Promise<GrpcServer | undefined> {
  if (grpcPort === undefined) return undefined;
  const server = await startGrpcServer({
    hosts: listenAddresses,
    port: grpcPort,
    maxConnections,
    async handler() {
      const { grpcHandler } = await import('./grpc-handler.ts');
      return grpcHandler(handling());
    },
  });
  closing.last(() => server.close());
  return server;
}

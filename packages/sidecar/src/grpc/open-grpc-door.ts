import type { Closing } from '../closing.ts';
import type { ResolvedSidecarOptions } from '../options.ts';
import { socketsOf } from '../server/doors/socket-paths.ts';
import type { GrpcHandlerOptions } from './grpc-handler.ts';
import { type GrpcServer, startGrpcServer } from './grpc-server.ts';

/** Where clients of the gRPC API come in; undefined where the options ask for none. */
export async function openGrpcDoor(
  options: ResolvedSidecarOptions,
  closing: Closing,
  handling: () => GrpcHandlerOptions,
): Promise<GrpcServer | undefined> {
  const { grpcPort, listenAddresses, maxConnections } = options;
  if (grpcPort === undefined) return undefined;
  const server = await startGrpcServer({
    hosts: listenAddresses,
    port: grpcPort,
    socketPath: socketsOf(options)?.grpc,
    maxConnections,
    async handler() {
      const { grpcHandler } = await import('./grpc-handler.ts');
      return grpcHandler(handling());
    },
  });
  closing.last(() => server.close());
  return server;
}

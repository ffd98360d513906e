import { mkdtemp, rm } from 'node:fs/promises';
import http2 from 'node:http2';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestContext } from 'node:test';
import type { DescService } from '@bufbuild/protobuf';
import type { ConnectRouter } from '@connectrpc/connect';
import { connectNodeAdapter } from '@connectrpc/connect-node';
import { ServerReflection } from '../protos/reflection_pb.ts';

/** A pluggable component as another program would be one: gRPC over a Unix socket, with reflection. */
export interface RunningComponent {
  readonly folder: string;
  readonly socketPath: string;
  /** Connections to it. */
  connections(): number;
  /** Ends all connections, and listens again. */
  restart(): Promise<void>;
}

export async function startComponent(
  t: Pick<TestContext, 'after'>,
  name: string,
  services: readonly DescService[],
  routes: (router: ConnectRouter) => void,
): Promise<RunningComponent> {
  const folder = await mkdtemp(path.join(tmpdir(), 'holdfast-plugged-'));
  const socketPath = path.join(folder, `${name}.sock`);
  const adapter = connectNodeAdapter({
    routes(router) {
      router.service(ServerReflection, {
        async *serverReflectionInfo(requests) {
          for await (const { messageRequest } of requests) {
            if (messageRequest.case !== 'listServices') continue;
            const service = services.map(({ typeName }) => ({ name: typeName }));
            yield { messageResponse: { case: 'listServicesResponse', value: { service } } };
          }
        },
      });
      routes(router);
    },
  });
  let running = await listen(adapter, socketPath);
  t.after(async () => {
    await running.close();
    await rm(folder, { recursive: true, force: true });
  });
  return {
    folder,
    socketPath,
    connections: () => running.sessions.size,
    async restart() {
      await running.close();
      running = await listen(adapter, socketPath);
    },
  };
}

async function listen(adapter: ReturnType<typeof connectNodeAdapter>, socketPath: string) {
  const sessions = new Set<http2.ServerHttp2Session>();
  const server = http2.createServer(adapter);
  server.on('session', (session) => {
    sessions.add(session);
    session.on('close', () => sessions.delete(session));
  });
  await new Promise<void>((resolve) => void server.listen(socketPath, resolve));
  return {
    sessions,
    async close() {
      for (const session of sessions) session.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

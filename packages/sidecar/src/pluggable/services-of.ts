import { ServerReflection } from './protos/reflection_pb.ts';
import { socketClient } from './socket-client.ts';

/** One that listens answers at once; one that does not must not keep the sidecar from starting. */
const ASK_MS = 5_000;

/**
 * The gRPC services behind a socket, by their full names, as its reflection tells.
 *
 * @throws Error where nobody answers within 5 s, or without reflection.
 */
export async function servicesOf(socketPath: string): Promise<ReadonlySet<string>> {
  const client = socketClient(socketPath);
  try {
    const answers = client
      .of(ServerReflection)
      .serverReflectionInfo(question(), { timeoutMs: ASK_MS });
    for await (const { messageResponse } of answers) {
      if (messageResponse.case === 'listServicesResponse') {
        return new Set(messageResponse.value.service.map(({ name }) => name));
      }
      break;
    }
    throw new Error('it has no reflection, which tells what it is');
  } finally {
    client.close();
  }
}

async function* question() {
  yield { messageRequest: { case: 'listServices' as const, value: '' } };
}

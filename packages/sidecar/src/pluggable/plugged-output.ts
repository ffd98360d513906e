import type { OutputBinding } from '../bindings/binding.ts';
import type { ComponentSettings } from '../components/component-settings.ts';
import { asked } from './asked.ts';
import { OutputBinding as Service } from './protos/components_pb.ts';
import { initOf, socketClient, waitedFor } from './socket-client.ts';

export async function pluggedOutput(
  socketPath: string,
  settings: ComponentSettings,
): Promise<OutputBinding> {
  const connection = socketClient(socketPath, settings.component);
  const client = connection.of(Service);
  const { operations } = await connection.first(async () => {
    await asked(client.init(initOf(settings)));
    return await asked(client.listOperations({}));
  });
  return {
    operations,
    async invoke({ data, metadata, operation, trace }, signal) {
      // Its trace goes with it, as in Dapr.
      const all = { ...metadata, ...Object.fromEntries(trace) };
      const request = { operation, metadata: all, data: data ?? Buffer.alloc(0) };
      const answer = await asked(client.invoke(request, waitedFor(signal)));
      return { data: Buffer.from(answer.data), metadata: answer.metadata };
    },
    async close() {
      connection.close();
    },
  };
}

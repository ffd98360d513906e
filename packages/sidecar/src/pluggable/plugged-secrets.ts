import type { ComponentSettings } from '../components/component-settings.ts';
import type { SecretStore } from '../secrets/secret-store.ts';
import { asked } from './asked.ts';
import { featuresOf } from './features-of.ts';
import { SecretStore as Service } from './protos/components_pb.ts';
import { socketClient, waitedFor } from './socket-client.ts';

export async function pluggedSecrets(
  socketPath: string,
  settings: ComponentSettings,
): Promise<SecretStore> {
  const connection = socketClient(socketPath, settings.component);
  const client = connection.of(Service);
  const features = await featuresOf(connection, client, settings);
  return {
    capabilities: features,
    async get(key, signal, metadata = {}) {
      const request = { key, metadata: { ...metadata } };
      return (await asked(client.get(request, waitedFor(signal)))).data;
    },
    async all(signal, metadata = {}) {
      const request = { metadata: { ...metadata } };
      const { data } = await asked(client.bulkGet(request, waitedFor(signal)));
      return Object.fromEntries(Object.entries(data).map(([name, one]) => [name, one.secrets]));
    },
    close: () => connection.close(),
  };
}

import type { ComponentSettings } from '../components/component-settings.ts';
import { asked } from './asked.ts';
import { initOf, type SocketClient } from './socket-client.ts';

/** What a state store, a broker and a secret store have in common. */
interface Featured {
  init(request: ReturnType<typeof initOf>): Promise<unknown>;
  features(request: object): Promise<{ readonly features: readonly string[] }>;
}

/** Tells a component its metadata, and asks what it can; where either fails, its connection is closed. */
export async function featuresOf(
  connection: SocketClient,
  client: Featured,
  settings: ComponentSettings,
): Promise<readonly string[]> {
  return await connection.first(async () => {
    await asked(client.init(initOf(settings)));
    return (await asked(client.features({}))).features;
  });
}

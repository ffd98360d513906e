import { until } from '@holdfast/test-servers';
import { type AppMesh, startAppMesh } from './app-mesh.ts';
import type { Seen } from './echo-app.ts';

export interface SubscribedApp {
  readonly mesh: AppMesh<'caller'>;
  /** What was brought to the application so far. */
  readonly seen: readonly Seen[];
}

/**
 * One sidecar whose application has subscribed to these topics when it resolves, and answers each event so.
 * `spec` are lines of its Configuration.
 */
export async function startSubscribedApp(
  executable: string | undefined,
  resources: Readonly<Record<string, string>>,
  subscriptions: readonly object[],
  answer: (event: Seen) => { readonly status: number; readonly body: string },
  spec = '',
): Promise<SubscribedApp> {
  const seen: Seen[] = [];
  const setup = { caller: { resources, spec } };
  const mesh = await startAppMesh(executable, setup, undefined, (call) => {
    if (call.url === '/dapr/subscribe') {
      return { status: 200, body: JSON.stringify(subscriptions) };
    }
    if (call.method !== 'POST') return undefined;
    seen.push(call);
    return answer(call);
  });
  const url = `http://127.0.0.1:${mesh.port('caller')}/v1.0/healthz`;
  await until('it has subscribed', async () => (await fetch(url)).ok);
  return { mesh, seen };
}

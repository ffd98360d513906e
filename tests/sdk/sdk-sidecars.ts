import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { type Sidecar, type SidecarOptions, startSidecar } from '@holdfast/sidecar';

/** Components that Dapr's quickstarts have, by the same names. */
const RESOURCES = `
apiVersion: dapr.io/v1alpha1
kind: Component
metadata: { name: statestore }
spec: { type: state.in-memory, version: v1 }
---
apiVersion: dapr.io/v1alpha1
kind: Component
metadata: { name: pubsub }
spec: { type: pubsub.in-memory, version: v1 }
---
apiVersion: dapr.io/v1alpha1
kind: Component
metadata: { name: secretstore }
spec: { type: secretstores.local.file, version: v1, metadata: [{ name: secretsFile, value: "$FOLDER/secrets.json" }] }
`;

/** Sidecars that find each other, with state, pub/sub and secrets. */
export interface SdkSidecars {
  start(options: SidecarOptions): Promise<Sidecar>;
  stop(): Promise<void>;
}

export async function sdkSidecars(): Promise<SdkSidecars> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'holdfast-sdk-'));
  await writeFile(path.join(folder, 'secrets.json'), '{"password":"hush"}');
  await writeFile(path.join(folder, 'components.yaml'), RESOURCES.replaceAll('$FOLDER', folder));
  const config = path.join(folder, 'config.yml');
  await writeFile(
    config,
    `
apiVersion: dapr.io/v1alpha1
kind: Configuration
metadata: { name: sdk }
spec:
  nameResolution: { component: sqlite, version: v1, configuration: { connectionString: "${folder}/names.db" } }
`,
  );
  const running: Sidecar[] = [];
  return {
    async start(options) {
      const sidecar = await startSidecar({
        httpPort: 0,
        grpcPort: 0,
        metricsPort: 0,
        resourcesPaths: [path.join(folder)],
        configPaths: [config],
        ...options,
      });
      running.push(sidecar);
      return sidecar;
    },
    async stop() {
      await Promise.all(running.map((one) => one.stop({ force: true })));
      await rm(folder, { recursive: true, force: true });
    },
  };
}

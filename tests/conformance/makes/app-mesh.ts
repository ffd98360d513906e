import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { type EchoApp, type Instead, startEchoApp } from './echo-app.ts';
import { type Running, ready, startFailure, startOne } from './one-sidecar.ts';
import type { Sentry } from './sentry.ts';

/** What is particular about one sidecar of an `AppMesh`. */
export interface AppSetup {
  /** Lines of its Configuration's `spec`. */
  readonly spec?: string;
  /** Its resources by file name; `$APP` in them is the application's port. */
  readonly resources?: Readonly<Record<string, string>>;
  /** Clients must show `API_TOKEN`. */
  readonly secured?: boolean;
  /** In place of the application of all. */
  readonly appPort?: number;
  /** In place of the make of all, as `startAppMesh` is told it. */
  readonly make?: { readonly daprd: string | undefined };
}

/** Sidecars of one make, each with a Configuration and resources of its own, and one application behind all. */
export interface AppMesh<App extends string> {
  readonly app: EchoApp;
  port(app: App): number;
  grpcPort(app: App): number;
  metricsPort(app: App): number;
  /** Resolves when one is healthy: its application is there, and has the subscriptions that it wants. */
  healthy(app: App): Promise<void>;
  /** Ends one of them, at once; `begin` starts it again with the setup it had, on other ports. */
  end(app: App): Promise<void>;
  begin(app: App): Promise<void>;
  stop(): Promise<void>;
}

/** Starts the sidecars one after the other: the machine has few cores. */
export async function startAppMesh<App extends string>(
  daprd: string | undefined,
  setups: Readonly<Record<App, AppSetup>>,
  sentry?: Sentry,
  instead?: Instead,
): Promise<AppMesh<App>> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'holdfast-conformance-'));
  const app = await startEchoApp(instead);
  const running = new Map<string, Running>();
  const stop = async (): Promise<void> => {
    await Promise.all([...running.values()].map((one) => one.stop()));
    await app.close();
    await rm(folder, { recursive: true, force: true });
  };
  const begin = async (role: App): Promise<void> => {
    const setup: AppSetup = setups[role];
    const own = await writeSetup(
      path.join(folder, role),
      path.join(folder, 'names.db'),
      setup,
      app.port,
    );
    const { appPort = app.port, make = { daprd }, secured = false } = setup;
    const start = { role, appPort, secured, sentry, ...own };
    running.set(role, await startOne(make.daprd, start));
  };
  try {
    for (const role of Object.keys(setups) as App[]) await begin(role);
  } catch (error) {
    // Those that run would keep the test's process from ever ending.
    await stop();
    throw error;
  }
  const of = (role: App): Running => running.get(role)!;
  return {
    app,
    port: (role) => of(role).ports.http,
    grpcPort: (role) => of(role).ports.grpc,
    metricsPort: (role) => of(role).ports.metrics,
    healthy: (role) => ready(of(role).ports.http),
    end: (role) => of(role).stop(),
    begin,
    stop,
  };
}

/** Why a sidecar with this setup does not start; undefined where it does. */
export async function setupFailure(
  daprd: string | undefined,
  setup: AppSetup,
): Promise<string | undefined> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'holdfast-conformance-'));
  const app = await startEchoApp();
  try {
    const own = await writeSetup(folder, path.join(folder, 'names.db'), setup, app.port);
    const start = { role: 'failing', appPort: app.port, secured: false, ...own };
    return await startFailure(daprd, start);
  } finally {
    await app.close();
    await rm(folder, { recursive: true, force: true });
  }
}

async function writeSetup(
  folder: string,
  names: string,
  { spec = '', resources: files = {} }: AppSetup,
  appPort: number,
): Promise<{ readonly resources: string; readonly configs: readonly string[] }> {
  const resources = path.join(folder, 'resources');
  const config = path.join(folder, 'config.yaml');
  await mkdir(resources, { recursive: true });
  for (const [name, text] of Object.entries(files)) {
    await writeFile(path.join(resources, name), text.replaceAll('$APP', String(appPort)));
  }
  await writeFile(
    config,
    `apiVersion: dapr.io/v1alpha1
kind: Configuration
metadata: { name: conformance }
spec:
  nameResolution: { component: sqlite, version: v1, configuration: { connectionString: ${JSON.stringify(names)} } }
${spec.replaceAll(/^/gm, '  ')}
`,
  );
  return { resources, configs: [config] };
}

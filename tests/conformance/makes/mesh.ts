import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { freePort } from '@holdfast/test-servers';
import { type EchoApp, type Instead, startEchoApp } from './echo-app.ts';
import { type Running, startOne } from './one-sidecar.ts';
import { configuration, HTTP_ENDPOINT, RESILIENCY } from './resources.ts';

/** The sidecars every mesh has, and what is particular about each. */
export type Role =
  /** Everything is asked of this one; it has the policies. */
  | 'caller'
  /** An ordinary application. */
  | 'callee'
  /** Its application is not running. */
  | 'down'
  /** It has no application. */
  | 'noport'
  /** It asks its clients for a token, and sends its application one. */
  | 'secured'
  /** Its application speaks gRPC; only where a mesh is given one. */
  | 'spoken';

/** Sidecars of one make, an application behind them, and a file by which they find each other. */
export interface Mesh {
  readonly app: EchoApp;
  /** The folder that all sidecars have as their resources. */
  readonly resources: string;
  port(role: Role): number;
  grpcPort(role: Role): number;
  metricsPort(role: Role): number;
  /** Resolves once the sidecar has ended by itself. */
  ended(role: Role): Promise<unknown>;
  stop(): Promise<void>;
}

const ROLES: readonly Role[] = ['caller', 'callee', 'down', 'noport', 'secured'];

export interface MeshOptions {
  /** `spec.tracing` of the Configuration, as YAML between braces. */
  readonly tracing?: string;
  /** More resources by file name; `$FOLDER` in them is the mesh's own folder. */
  readonly resources?: Readonly<Record<string, string>>;
  /** What the application does besides the echo. */
  readonly instead?: Instead;
  /** The port of an application that speaks gRPC. */
  readonly grpcAppPort?: number;
  /** The make of all but the caller, as `startMesh` is told it. @default the caller's */
  readonly others?: { readonly daprd: string | undefined };
}

/** Starts a mesh of holdfast sidecars, or of real daprd where `daprd` names its executable. */
export async function startMesh(
  daprd?: string,
  { tracing, resources: more = {}, instead, grpcAppPort, others = { daprd } }: MeshOptions = {},
): Promise<Mesh> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'holdfast-conformance-'));
  const app = await startEchoApp(instead);
  const resources = path.join(folder, 'resources');
  const names = path.join(folder, 'names.db');
  const config = path.join(folder, 'config.yaml');
  await mkdir(resources);
  await writeFile(path.join(resources, 'resiliency.yaml'), RESILIENCY(app.port));
  await writeFile(path.join(resources, 'endpoint.yaml'), HTTP_ENDPOINT(app.port));
  await writeFile(config, configuration(names, tracing));
  for (const [name, text] of Object.entries(more)) {
    await writeFile(path.join(resources, name), text.replaceAll('$FOLDER', folder));
  }

  const running = new Map<Role, Running>();
  const begin = async (role: Role): Promise<void> => {
    // daprd is not ready before its application is there, so this one goes when it is.
    const mortal = role === 'down' ? await startEchoApp() : undefined;
    const http = role === 'noport' ? undefined : (mortal ?? app).port;
    const appPort = role === 'spoken' ? grpcAppPort : http;
    const secured = role === 'secured';
    const start = { role, appPort, resources, configs: [config], secured };
    try {
      running.set(role, await startOne(role === 'caller' ? daprd : others.daprd, start));
    } finally {
      await mortal?.close();
    }
  };
  const stop = async (): Promise<void> => {
    await Promise.all([...running.values()].map((one) => one.stop()));
    await app.close();
    await rm(folder, { recursive: true, force: true });
  };
  const beginAll = async (roles: readonly Role[]): Promise<void> => {
    const begun = await Promise.allSettled(roles.map(begin));
    const failed = begun.find((one) => one.status === 'rejected');
    if (failed === undefined) return;
    // Those that run would keep the test's process from ever ending.
    await stop();
    throw failed.reason;
  };
  // The first makes the table; two at once would meet there.
  await beginAll(['caller']);
  await beginAll([...ROLES.slice(1), ...(grpcAppPort === undefined ? [] : ['spoken' as const])]);
  registerDead(names, 'gone', await freePort());
  registerDead(names, 'dead', await freePort());

  const of = (role: Role): Running => running.get(role)!;
  return {
    app,
    resources,
    port: (role) => of(role).ports.http,
    grpcPort: (role) => of(role).ports.grpc,
    metricsPort: (role) => of(role).ports.metrics,
    ended: (role) => of(role).ended,
    stop,
  };
}

/** A sidecar that was killed a moment ago: its row is still there, its port is closed. */
function registerDead(file: string, appId: string, port: number): void {
  const db = new DatabaseSync(file, { timeout: 5_000 });
  db.prepare("INSERT INTO hosts VALUES (?, ?, ?, '', unixepoch(CURRENT_TIMESTAMP) + 3600)").run(
    `row of ${appId}`,
    `127.0.0.1:${port}`,
    appId,
  );
  db.close();
}

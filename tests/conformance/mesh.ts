import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { startSidecar } from '@holdfast/sidecar';
import { freePort } from '@holdfast/test-servers';
import { type EchoApp, type Instead, startEchoApp } from './echo-app.ts';
import { configuration, HTTP_ENDPOINT, RESILIENCY } from './resources.ts';
import type { Sentry } from './sentry.ts';

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

export const API_TOKEN = 'open-sesame';
export const APP_TOKEN = 'it-is-me';

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

export interface Ports {
  readonly http: number;
  readonly grpc: number;
  readonly metrics: number;
}

/** One sidecar, of either make. */
export interface Running {
  readonly ports: Ports;
  readonly ended: Promise<unknown>;
  stop(): Promise<void>;
}

export interface Start {
  /** Its app id. */
  readonly role: string;
  readonly appPort: number | undefined;
  readonly resources: string;
  /** It asks its clients for a token, and sends its application one. */
  readonly secured: boolean;
  /** Later ones win. */
  readonly configs: readonly string[];
  /** Who gives it a certificate; absent: there is no mTLS. */
  readonly sentry?: Sentry | undefined;
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
}

/** Starts a mesh of holdfast sidecars, or of real daprd where `daprd` names its executable. */
export async function startMesh(
  daprd?: string,
  { tracing, resources: more = {}, instead, grpcAppPort }: MeshOptions = {},
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
    running.set(role, await startOne(daprd, start));
    await mortal?.close();
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

/** A sidecar that is ready: ours, or the daprd of that executable. */
export function startOne(daprd: string | undefined, start: Start): Promise<Running> {
  return daprd === undefined ? holdfast(start) : dapr(daprd, start);
}

async function holdfast(start: Start): Promise<Running> {
  const { role, appPort, resources, configs, secured, sentry } = start;
  const own = await sentry?.issue(role);
  const sidecar = await startSidecar(
    {
      appId: role,
      ...(appPort === undefined ? {} : { appPort }),
      httpPort: 0,
      grpcPort: 0,
      metricsPort: 0,
      resourcesPaths: [resources],
      ...(role === 'spoken' ? { appProtocol: 'grpc' as const } : {}),
      configPaths: configs,
      ...(own === undefined
        ? {}
        : {
            mtls: {
              trustAnchors: sentry!.anchors,
              certChain: own.certificate,
              certKey: own.key,
            },
          }),
      ...(secured ? { apiToken: API_TOKEN, appApiToken: APP_TOKEN } : {}),
    },
    { variables: process.env },
  );
  return {
    ports: {
      http: sidecar.ports.http,
      grpc: sidecar.ports.grpc!,
      metrics: sidecar.ports.metrics!,
    },
    ended: sidecar.ended,
    stop: () => sidecar.stop({ force: true }),
  };
}

/** A port that was free may be taken before daprd listens on it, and daprd may meet another at the file of names. */
const DAPRD_TRIES = 3;

async function dapr(executable: string, start: Start): Promise<Running> {
  for (let tries = 1; ; tries += 1) {
    const { child, ports, ended, said } = await spawnDaprd(executable, start);
    const stop = async (): Promise<void> => {
      child.kill('SIGKILL');
      await ended;
    };
    const up = await Promise.race([
      ready(ports.http).then(() => true),
      ended.then(() => false),
    ]).catch(async (error: unknown) => {
      await stop();
      throw new Error(`daprd ${start.role} said:\n${said()}`, { cause: error });
    });
    if (up) return { ports, ended, stop };
    if (tries === DAPRD_TRIES) throw new Error(`daprd ${start.role} ended, and said:\n${said()}`);
  }
}

/** Why a sidecar does not start; undefined where it does. */
export async function startFailure(
  daprd: string | undefined,
  start: Start,
): Promise<string | undefined> {
  if (daprd === undefined) {
    return await holdfast(start).then(
      (running) => running.stop().then(() => undefined),
      (error: Error) => error.message,
    );
  }
  const { child, ports, ended, said } = await spawnDaprd(daprd, start);
  const failed = await Promise.race([ended.then(() => true), ready(ports.http).then(() => false)]);
  child.kill('SIGKILL');
  return failed ? /level=fatal msg="(.*?)" app_id/.exec(said())?.[1] : undefined;
}

/** Enough of a log to see why its writer ended; a mesh that runs for minutes writes megabytes. */
const KEPT_LOG = 16 * 1024;

async function spawnDaprd(executable: string, start: Start) {
  const { role, appPort, resources, configs, secured, sentry } = start;
  const [http, grpc, internal, metrics] = await Promise.all([1, 2, 3, 4].map(() => freePort()));
  const flags: Record<string, string | number | undefined> = {
    'app-id': role,
    'app-port': appPort,
    'dapr-http-port': http,
    'dapr-grpc-port': grpc,
    'dapr-internal-grpc-port': internal,
    'metrics-port': metrics,
    'resources-path': resources,
    'dapr-listen-addresses': '127.0.0.1',
    'app-protocol': role === 'spoken' ? 'grpc' : undefined,
  };
  const args = Object.entries(flags).flatMap(([name, value]) =>
    value === undefined ? [] : [`--${name}`, String(value)],
  );
  for (const config of configs) args.push('--config', config);
  if (sentry !== undefined) args.push('--enable-mtls', '--sentry-address', sentry.address);
  const tokens = secured ? { DAPR_API_TOKEN: API_TOKEN, APP_API_TOKEN: APP_TOKEN } : {};
  const anchors = sentry === undefined ? {} : { DAPR_TRUST_ANCHORS: sentry.anchors };
  const env = { ...process.env, ...tokens, ...anchors, DAPR_HOST_IP: '127.0.0.1' };
  const child = spawn(executable, args, { env, stdio: ['ignore', 'pipe', 'ignore'] });
  let log = '';
  child.stdout.on('data', (text: Buffer) => {
    log = `${log}${text}`.slice(-KEPT_LOG);
  });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const ports = { http: http!, grpc: grpc!, metrics: metrics! };
  return { child, ports, ended, said: () => log };
}

export async function ready(port: number): Promise<void> {
  for (let tries = 0; tries < 300; tries += 1) {
    const up = await fetch(`http://127.0.0.1:${port}/v1.0/healthz`).then(
      // Middleware that asks for a token stands before health too.
      ({ status }) => status === 204 || status === 401,
      () => false,
    );
    if (up) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`The sidecar at port ${port} did not become ready within 30 s.`);
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

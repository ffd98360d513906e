import { spawn } from 'node:child_process';
import { startSidecar } from '@holdfast/sidecar';
import { eventually, freePort, until } from '@holdfast/test-servers';
import type { Sentry } from './sentry.ts';

export const API_TOKEN = 'open-sesame';
export const APP_TOKEN = 'it-is-me';

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
  const { child, ended, said } = await spawnDaprd(daprd, start);
  let over = false;
  void ended.then(() => {
    over = true;
  });
  // By its own words: a daprd with a component that fails is up, and healthy, for a moment before it ends.
  const isUp = () =>
    said().includes('dapr initialized') && !said().includes('daprd will exit gracefully');
  try {
    await until('daprd starts or ends', () => over || isUp());
  } finally {
    // Also one that does neither: it may be taking all the memory there is.
    child.kill('SIGKILL');
  }
  return over ? (/level=fatal msg="(.*?)" app_id/.exec(said())?.[1] ?? said()) : undefined;
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
  await eventually(
    async () => (await fetch(`http://127.0.0.1:${port}/v1.0/healthz`)).status,
    // Middleware that asks for a token stands before health too, and a rate that the question before has used up.
    (status) => [204, 401, 429].includes(status),
    `the sidecar at port ${port} is ready`,
  );
}

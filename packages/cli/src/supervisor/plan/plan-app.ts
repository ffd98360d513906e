import type { Clock } from '@holdfast/core';
import { existsNow, sidecarCommand, sidecarEnv } from '../../own-process.ts';
import type { AppSettings } from '../../run-file/app-settings.ts';
import { sidecarName } from '../../run-file/run-file.ts';
import {
  apiSockets,
  appEnv,
  runtimeIn,
  type SidecarPorts,
  sidecarFlags,
} from '../process/launch.ts';
import type { AsyncMessages, ProcessPlan } from '../process/managed-process.ts';
import { removeStale, untilReady } from '../process/readiness.ts';
import type { SidecarMessage } from '../sidecar-message.ts';
import { StartError } from '../start-error.ts';
import { isWrapper } from './wrapper.ts';

/** An app may take this long to listen on its port before we stop waiting for it. */
const APP_READY_MS = 60_000;
const SIDECAR_READY_MS = 60_000;
const APP_STOP_MS = 10_000;

/** A sidecar drains for five seconds (`--dapr-graceful-shutdown-seconds`) and then ends. */
const SIDECAR_STOP_MS = 8_000;

/** What the plans of an app share. */
export interface AppSurroundings {
  readonly clock: Clock;
  /** The environment handed down to both. */
  readonly env: Readonly<Record<string, string>>;
  /** Configurations read before the app's own; later ones win. */
  readonly baseConfigs: readonly string[];
  /** Where Node keeps the compiled code of our sidecars, so that the next one starts in half the time. */
  readonly codeCache: string;
  /** Where our sidecars keep what outlives the run; undefined: where they do by themselves. */
  readonly sidecarState: string | undefined;
  readonly note: (line: string) => void;
}

/** The ports a sidecar has: those asked for, and once it has listened those it got, for good. */
export interface PortBook {
  current: SidecarPorts;
}

/** Ports as the run file asks for them; 0 and -1 are "any". */
export function portsAskedFor(app: AppSettings): SidecarPorts {
  return {
    http: Math.max(0, app.daprHTTPPort ?? 0),
    grpc: Math.max(0, app.daprGRPCPort ?? 0),
    internal: Math.max(0, app.daprInternalGRPCPort ?? 0),
    metrics: Math.max(0, app.metricsPort ?? 0),
  };
}

/** The sidecar of an app: ours, or the one in `runtimePath`. */
export function planSidecar(
  app: AppSettings,
  book: PortBook,
  around: AppSurroundings,
): ProcessPlan {
  const name = sidecarName(app.appID);
  const foreign = app.runtimePath === undefined ? undefined : runtimeIn(app.runtimePath, existsNow);
  const [file, ...before] = foreign === undefined ? sidecarCommand() : [foreign];
  const { sidecarState } = around;
  // Apps of another project may have the same names, and other brokers.
  const own =
    foreign === undefined && sidecarState !== undefined ? [`--state-dir=${sidecarState}`] : [];
  const configs = [...around.baseConfigs, ...(app.configFilePath ? [app.configFilePath] : [])];
  // The app's variables reach its sidecar (tokens, secrets of components), but not what steers Node.
  const { NODE_OPTIONS: _own, ...appsOwn } = app.env;
  const told = { DAPR_HOST_IP: '127.0.0.1', ...around.env, ...appsOwn };
  const sockets = apiSockets(app);
  return {
    // daprd does not start beside the sockets of one that was killed.
    ...(foreign === undefined || sockets === undefined
      ? {}
      : { prepare: () => removeStale(Object.values(sockets)) }),
    name,
    role: 'sidecar',
    appId: app.appID,
    launch: () => ({
      file: file!,
      args: [...before, ...sidecarFlags(app, book.current, configs), ...own],
      cwd: app.appDirPath,
      env:
        foreign === undefined
          ? sidecarEnv({ NODE_COMPILE_CACHE: around.codeCache, ...told })
          : told,
    }),
    ports: () => knownPorts(book.current),
    async untilReady(child, messages) {
      if (foreign === undefined) {
        book.current = { ...book.current, ...(await portsFrom(messages, name)) };
        return;
      }
      const authority = sockets === undefined ? `127.0.0.1:${book.current.http}` : 'localhost';
      const http = `http://${authority}/v1.0/healthz/outbound`;
      const socketPath = sockets?.http;
      const limits = { clock: around.clock, limitMs: SIDECAR_READY_MS, signal: child.ended };
      if (await untilReady({ http }, { ...limits, socketPath })) return;
      throw new StartError(
        'NOT_READY',
        name,
        `"${name}" did not answer ${http}${socketPath === undefined ? '' : ` on ${socketPath}`} within ${SIDECAR_READY_MS} ms.`,
      );
    },
    channel: foreign === undefined,
    wrapper: false,
    restart: app.restart,
    stopSignal: 'SIGTERM',
    stopTimeoutMs: SIDECAR_STOP_MS,
  };
}

/** What `ps` shows. */
function knownPorts(ports: SidecarPorts): Readonly<Record<string, number>> {
  return Object.fromEntries(Object.entries(ports).filter(([, port]) => port > 0));
}

/** Our sidecar says over its channel when it listens, and where; or why it cannot. */
async function portsFrom(messages: AsyncMessages, name: string): Promise<Partial<SidecarPorts>> {
  for (;;) {
    const message = (await messages.next()) as SidecarMessage;
    if (message.type === 'ready') return message.ports;
    if (message.type === 'failed') {
      const code = message.code === 'PORT_TAKEN' ? 'PORT_TAKEN' : 'SIDECAR_FAILED';
      throw new StartError(code, name, `"${name}" cannot start: ${message.message}`);
    }
  }
}

/** The app itself, told where its sidecar listens. */
export function planService(
  app: AppSettings,
  book: PortBook,
  around: AppSurroundings,
): ProcessPlan {
  const [file, ...args] = app.command ?? [];
  if (file === undefined) throw new TypeError(`command of app "${app.appID}" must not be empty.`);
  const port = app.appPort !== undefined && app.appPort > 0 ? app.appPort : undefined;
  return {
    name: app.appID,
    role: 'service',
    appId: app.appID,
    launch: () => ({
      file,
      args,
      cwd: app.appDirPath,
      env: { ...around.env, ...appEnv(app, book.current) },
    }),
    ports: () =>
      port === undefined ? {} : { [app.appProtocol.startsWith('grpc') ? 'grpc' : 'http']: port },
    async untilReady(child) {
      if (port === undefined) return;
      const host = app.appChannelAddress;
      const options = { clock: around.clock, limitMs: APP_READY_MS, signal: child.ended, host };
      if (await untilReady({ tcp: port }, options)) return;
      around.note(
        `"${app.appID}" does not listen on port ${port} after ${APP_READY_MS} ms; it is left to go on.`,
      );
    },
    channel: false,
    wrapper: isWrapper(file),
    restart: app.restart,
    stopSignal: 'SIGTERM',
    stopTimeoutMs: APP_STOP_MS,
  };
}

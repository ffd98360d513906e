import type { AppProtocol } from '@holdfast/sidecar';

/** What a process of a run is for; `holdfast ps` shows it. */
export type Role = 'service' | 'sidecar' | 'database' | 'broker' | 'console';

/** Where the lines of a process go. Files lie in `<appDirPath>/.dapr/logs`. */
export type LogDestination = 'console' | 'file' | 'fileAndConsole';

/**
 * A run file as data: Dapr's `dapr.yaml` key by key, plus `holdfast`. Paths are
 * absolute. It holds nothing but what was written, so a program may copy it
 * with other ports or other processes before it starts it.
 */
export interface RunFile {
  /** The file it was read from; absent when a program made it. */
  readonly path?: string;
  /** What relative paths of `common` and of `holdfast` start from, and where run state is kept. */
  readonly dir: string;
  readonly version: 1;
  /** Names the run in `holdfast ps --run NAME`. @default the name of `dir` */
  readonly name?: string;
  readonly common: SharedSettings;
  readonly apps: readonly AppEntry[];
  readonly holdfast: HoldfastSection;
}

/** The top-level key of ours, which Dapr ignores. */
export interface HoldfastSection {
  /** What the apps need beside them: started before the apps, stopped after them. */
  readonly processes: readonly ProcessEntry[];
}

/** What `common` may say for all apps, and each app for itself; the app's word wins. */
export interface SharedSettings {
  readonly resourcesPaths?: readonly string[];
  /** Deprecated by Dapr: one path more for `resourcesPaths`. */
  readonly resourcesPath?: string;
  readonly componentsPath?: string;
  readonly configFilePath?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly appProtocol?: AppProtocol;
  readonly appMaxConcurrency?: number;
  readonly logLevel?: string;
  readonly enableAppHealthCheck?: boolean;
  readonly appHealthCheckPath?: string;
  /** Seconds. */
  readonly appHealthProbeInterval?: number;
  /** Milliseconds. */
  readonly appHealthProbeTimeout?: number;
  readonly appHealthThreshold?: number;
  readonly enableApiLogging?: boolean;
  readonly enableProfiling?: boolean;
  /** A quantity such as `4Mi`. */
  readonly maxBodySize?: string;
  /** A quantity such as `4Ki`. */
  readonly readBufferSize?: string;
  /** MiB. Deprecated by Dapr: `maxBodySize`, which wins. */
  readonly daprHTTPMaxRequestSize?: number;
  /** KiB. Deprecated by Dapr: `readBufferSize`, which wins. */
  readonly daprHTTPReadBufferSize?: number;
  readonly apiListenAddresses?: string;
  readonly placementHostAddress?: string;
  readonly schedulerHostAddress?: string;
  /** A folder with another sidecar to run: `bin/daprd` or `daprd` in it. @default Holdfast's own */
  readonly runtimePath?: string;
  readonly appSSL?: boolean;
  /** @default 'file' */
  readonly daprdLogDestination?: LogDestination;
  /** @default 'fileAndConsole' */
  readonly appLogDestination?: LogDestination;
}

/** One app: a service with a sidecar of its own. */
export interface AppEntry extends SharedSettings {
  readonly appDirPath: string;
  readonly appID: string;
  readonly appPort?: number;
  readonly appChannelAddress?: string;
  readonly daprHTTPPort?: number;
  readonly daprGRPCPort?: number;
  readonly daprInternalGRPCPort?: number;
  readonly metricsPort?: number;
  readonly profilePort?: number;
  readonly unixDomainSocket?: string;
  /** Without a command only the sidecar runs. */
  readonly command?: readonly string[];
  /** Ours: the app and its sidecar are started again after a failure, later each time. */
  readonly restart?: 'on-failure';
  /** Ours: the processes and apps that must be ready before this app starts. @default only its sidecar */
  readonly needs?: readonly string[];
}

/** A process that is neither app nor sidecar: a database, a broker, the console. */
export interface ProcessEntry {
  readonly name: string;
  readonly role: Role;
  readonly command: readonly string[];
  /** The folder it runs in. @default the run file's */
  readonly dirPath?: string;
  /** Shown by `ps`, and checked to be free before anything starts. */
  readonly ports?: Readonly<Record<string, number>>;
  readonly ready?: ReadyCheck;
  /** @default 30_000 ms */
  readonly readyTimeoutMs?: number;
  readonly restart?: 'on-failure';
  readonly needs?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Asks it to end. @default 'SIGTERM' */
  readonly stopSignal?: string;
  /** How long it may take to end before it is killed. @default 10_000 ms */
  readonly stopTimeoutMs?: number;
}

/** When a process counts as ready: its port accepts, its URL answers 2xx, or its file exists. */
export type ReadyCheck =
  | { readonly tcp: number }
  | { readonly http: string }
  | { readonly file: string };

/** The name `ps`, `kill` and `start` know the sidecar of an app by. */
export function sidecarName(appId: string): string {
  return `${appId}-sidecar`;
}

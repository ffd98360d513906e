import { APP_PROTOCOLS } from '../flags/app-protocol.ts';

/** What the value of a key must be, and what it is once it has been read. */
interface Values {
  readonly text: string;
  readonly texts: readonly string[];
  readonly integer: number;
  readonly milliseconds: number;
  /** At most 65 535; 0 and -1 mean any. */
  readonly port: number;
  readonly ports: Readonly<Record<string, number>>;
  readonly boolean: boolean;
  /** Absolute. */
  readonly path: string;
  readonly paths: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Sections and lists are read by themselves. */
  readonly section: object;
  readonly list: readonly unknown[];
}

/** One row of the run file's vocabulary. */
export interface Key {
  readonly name: string;
  readonly kind: keyof Values;
  readonly required?: boolean;
  /** The only values allowed. */
  readonly oneOf?: readonly string[];
}

/** A section that was read by its rows: of each key its value, and nothing where it is absent or wrong. */
export type Section<Row extends Key> = {
  readonly [Each in Row as Each['name']]?: Each extends { readonly oneOf: readonly (infer Word)[] }
    ? Word
    : Values[Each['kind']];
};

const LOG_DESTINATIONS = ['console', 'file', 'fileAndConsole'] as const;
const ROLES = ['database', 'broker', 'console', 'service'] as const;

export const TOP_KEYS = [
  { name: 'version', kind: 'integer', required: true },
  { name: 'name', kind: 'text' },
  { name: 'common', kind: 'section' },
  { name: 'apps', kind: 'list', required: true },
  { name: 'holdfast', kind: 'section' },
] as const satisfies readonly Key[];

export const SHARED_KEYS = [
  { name: 'resourcesPaths', kind: 'paths' },
  { name: 'resourcesPath', kind: 'path' },
  { name: 'componentsPath', kind: 'path' },
  { name: 'configFilePath', kind: 'path' },
  { name: 'env', kind: 'env' },
  { name: 'appProtocol', kind: 'text', oneOf: APP_PROTOCOLS },
  { name: 'appMaxConcurrency', kind: 'integer' },
  { name: 'logLevel', kind: 'text' },
  { name: 'enableAppHealthCheck', kind: 'boolean' },
  { name: 'appHealthCheckPath', kind: 'text' },
  { name: 'appHealthProbeInterval', kind: 'integer' },
  { name: 'appHealthProbeTimeout', kind: 'integer' },
  { name: 'appHealthThreshold', kind: 'integer' },
  { name: 'enableApiLogging', kind: 'boolean' },
  { name: 'enableProfiling', kind: 'boolean' },
  { name: 'maxBodySize', kind: 'text' },
  { name: 'readBufferSize', kind: 'text' },
  { name: 'daprHTTPMaxRequestSize', kind: 'integer' },
  { name: 'daprHTTPReadBufferSize', kind: 'integer' },
  { name: 'apiListenAddresses', kind: 'text' },
  { name: 'placementHostAddress', kind: 'text' },
  { name: 'schedulerHostAddress', kind: 'text' },
  { name: 'runtimePath', kind: 'path' },
  { name: 'appSSL', kind: 'boolean' },
  { name: 'daprdLogDestination', kind: 'text', oneOf: LOG_DESTINATIONS },
  { name: 'appLogDestination', kind: 'text', oneOf: LOG_DESTINATIONS },
] as const satisfies readonly Key[];

/** Kubernetes-only keys of Dapr: understood, and without effect on one machine. */
const KUBERNETES_KEYS = [
  { name: 'containerImage', kind: 'text' },
  {
    name: 'containerImagePullPolicy',
    kind: 'text',
    oneOf: ['Always', 'Never', 'IfNotPresent'],
  },
  { name: 'createService', kind: 'boolean' },
] as const satisfies readonly Key[];

export const APP_KEYS = [
  { name: 'appDirPath', kind: 'path', required: true },
  { name: 'appID', kind: 'text' },
  { name: 'appPort', kind: 'port' },
  { name: 'appChannelAddress', kind: 'text' },
  { name: 'daprHTTPPort', kind: 'port' },
  { name: 'daprGRPCPort', kind: 'port' },
  { name: 'daprInternalGRPCPort', kind: 'port' },
  { name: 'metricsPort', kind: 'port' },
  { name: 'profilePort', kind: 'port' },
  { name: 'unixDomainSocket', kind: 'text' },
  { name: 'command', kind: 'texts' },
  { name: 'restart', kind: 'text', oneOf: ['on-failure'] },
  { name: 'needs', kind: 'texts' },
  ...SHARED_KEYS,
  ...KUBERNETES_KEYS,
] as const satisfies readonly Key[];

export const HOLDFAST_KEYS = [
  { name: 'processes', kind: 'list' },
] as const satisfies readonly Key[];

export const PROCESS_KEYS = [
  { name: 'name', kind: 'text', required: true },
  { name: 'role', kind: 'text', required: true, oneOf: ROLES },
  { name: 'command', kind: 'texts', required: true },
  { name: 'dirPath', kind: 'path' },
  { name: 'ports', kind: 'ports' },
  { name: 'ready', kind: 'section' },
  { name: 'readyTimeoutMs', kind: 'milliseconds' },
  { name: 'restart', kind: 'text', oneOf: ['on-failure'] },
  { name: 'needs', kind: 'texts' },
  { name: 'env', kind: 'env' },
  { name: 'stopSignal', kind: 'text' },
  { name: 'stopTimeoutMs', kind: 'milliseconds' },
] as const satisfies readonly Key[];

export const READY_KEYS = [
  { name: 'tcp', kind: 'port' },
  { name: 'http', kind: 'text' },
  { name: 'file', kind: 'path' },
] as const satisfies readonly Key[];

/** What the value of a key must be. `path` is made absolute; `port` is 0 … 65 535, 0 or less meaning any. */
export type KeyKind =
  | 'text'
  | 'texts'
  | 'integer'
  | 'milliseconds'
  | 'port'
  | 'ports'
  | 'boolean'
  | 'path'
  | 'paths'
  | 'env'
  | 'section'
  | 'list';

/** One row of the run file's vocabulary. */
export interface Key {
  readonly name: string;
  readonly kind: KeyKind;
  readonly required?: boolean;
  /** The only values allowed. */
  readonly oneOf?: readonly string[];
}

const LOG_DESTINATIONS = ['console', 'file', 'fileAndConsole'];
const ROLES = ['database', 'broker', 'console', 'service'];

export const TOP_KEYS: readonly Key[] = [
  { name: 'version', kind: 'integer', required: true },
  { name: 'name', kind: 'text' },
  { name: 'common', kind: 'section' },
  { name: 'apps', kind: 'list', required: true },
  { name: 'holdfast', kind: 'section' },
];

export const SHARED_KEYS: readonly Key[] = [
  { name: 'resourcesPaths', kind: 'paths' },
  { name: 'resourcesPath', kind: 'path' },
  { name: 'componentsPath', kind: 'path' },
  { name: 'configFilePath', kind: 'path' },
  { name: 'env', kind: 'env' },
  { name: 'appProtocol', kind: 'text', oneOf: ['http', 'https', 'grpc', 'grpcs', 'h2c'] },
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
];

/** Kubernetes-only keys of Dapr: understood, and without effect on one machine. */
const KUBERNETES_KEYS: readonly Key[] = [
  { name: 'containerImage', kind: 'text' },
  {
    name: 'containerImagePullPolicy',
    kind: 'text',
    oneOf: ['Always', 'Never', 'IfNotPresent'],
  },
  { name: 'createService', kind: 'boolean' },
];

export const APP_KEYS: readonly Key[] = [
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
];

export const HOLDFAST_KEYS: readonly Key[] = [{ name: 'processes', kind: 'list' }];

export const PROCESS_KEYS: readonly Key[] = [
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
];

export const READY_KEYS: readonly Key[] = [
  { name: 'tcp', kind: 'port' },
  { name: 'http', kind: 'text' },
  { name: 'file', kind: 'path' },
];

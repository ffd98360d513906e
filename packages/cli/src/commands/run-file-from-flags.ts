import { basename, resolve } from 'node:path';
import { checkAppId } from '../flags/app-id.ts';
import { FlagError, type ParsedFlags } from '../flags/flag.ts';
import { flagReader } from '../flags/flag-reader.ts';
import type { AppEntry, RunFile } from '../run-file/run-file.ts';

/** The key of a run file that says the same as a flag of `holdfast run`. */
const KEY_OF: Readonly<Record<string, keyof AppEntry>> = {
  'app-port': 'appPort',
  'app-protocol': 'appProtocol',
  'app-channel-address': 'appChannelAddress',
  'app-max-concurrency': 'appMaxConcurrency',
  'app-ssl': 'appSSL',
  'dapr-http-port': 'daprHTTPPort',
  'dapr-grpc-port': 'daprGRPCPort',
  'dapr-internal-grpc-port': 'daprInternalGRPCPort',
  'metrics-port': 'metricsPort',
  'profile-port': 'profilePort',
  'enable-profiling': 'enableProfiling',
  'enable-app-health-check': 'enableAppHealthCheck',
  'app-health-check-path': 'appHealthCheckPath',
  'app-health-probe-interval': 'appHealthProbeInterval',
  'app-health-probe-timeout': 'appHealthProbeTimeout',
  'app-health-threshold': 'appHealthThreshold',
  'enable-api-logging': 'enableApiLogging',
  'log-level': 'logLevel',
  'dapr-http-max-request-size': 'daprHTTPMaxRequestSize',
  'dapr-http-read-buffer-size': 'daprHTTPReadBufferSize',
  'unix-domain-socket': 'unixDomainSocket',
};

/** The keys whose values are text in a run file and were numbers on the command line. */
const SIZES = { 'max-body-size': 'maxBodySize', 'read-buffer-size': 'readBufferSize' } as const;

/**
 * `holdfast run [flags] -- CMD` as a run file of one app, whose lines all go to
 * the console.
 */
export function runFileFromFlags(flags: ParsedFlags, cwd: string): RunFile {
  const { values, rest } = flags;
  const { text, texts } = flagReader(flags);
  const app: Record<string, unknown> = {};
  for (const [flag, key] of Object.entries(KEY_OF)) {
    if (values.has(flag)) app[key] = values.get(flag);
  }
  for (const [flag, key] of Object.entries(SIZES)) {
    if (values.has(flag)) app[key] = String(values.get(flag));
  }
  const addresses = texts('dapr-listen-addresses');
  const resources = [...texts('resources-path'), ...texts('components-path')];
  const path = (flag: string, key: keyof AppEntry) => {
    const given = text(flag);
    if (given !== undefined) app[key] = resolve(cwd, given);
  };
  path('config', 'configFilePath');
  path('runtime-path', 'runtimePath');
  const appID = text('app-id') ?? idFrom(basename(cwd));
  checkAppId(appID);
  if (rest[0] === '') throw new FlagError('The command after -- is empty; name a program.');
  const entry: AppEntry = {
    ...(app as Partial<AppEntry>),
    ...(addresses.length > 0 ? { apiListenAddresses: addresses.join(',') } : {}),
    ...(resources.length > 0 ? { resourcesPaths: resources.map((dir) => resolve(cwd, dir)) } : {}),
    ...(rest.length > 0 ? { command: rest } : {}),
    appID,
    appDirPath: cwd,
    daprdLogDestination: 'console',
    appLogDestination: 'console',
  };
  return {
    dir: cwd,
    version: 1,
    name: appID,
    common: {},
    apps: [entry],
    holdfast: { processes: [] },
  };
}

/** A folder's name as an app id. */
function idFrom(folder: string): string {
  return folder.replace(/[^\w-]+/g, '-').replace(/^-+|-+$/g, '') || 'app';
}

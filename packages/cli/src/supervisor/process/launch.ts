import { join, resolve } from 'node:path';
import type { AppSettings } from '../../run-file/app-settings.ts';

/** A program and all it is started with. */
export interface Launch {
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
}

/** The ports of a sidecar; 0 where any free one will do. */
export interface SidecarPorts {
  readonly http: number;
  readonly grpc: number;
  readonly internal: number;
  readonly metrics: number;
}

/** What Dapr starts instead of ours when `runtimePath` is set. */
export function runtimeIn(runtimePath: string, exists: (path: string) => boolean): string {
  const nested = join(runtimePath, 'bin', 'daprd');
  return exists(nested) ? nested : join(runtimePath, 'daprd');
}

/** Where an app's sidecar has its API where it has no ports for it, by Dapr's names. */
export interface ApiSockets {
  readonly http: string;
  readonly grpc: string;
}

/** Undefined where its API has ports. A folder is the app's own unless it says otherwise. */
export function apiSockets({
  appDirPath,
  appID,
  unixDomainSocket,
}: Pick<AppSettings, 'appDirPath' | 'appID' | 'unixDomainSocket'>): ApiSockets | undefined {
  if (!unixDomainSocket) return undefined;
  const named = (kind: string) =>
    join(resolve(appDirPath, unixDomainSocket), `dapr-${appID}-${kind}.socket`);
  return { http: named('http'), grpc: named('grpc') };
}

/** The flags of an app's sidecar, in `--name=value` form, which daprd reads as well. */
export function sidecarFlags(
  app: AppSettings,
  ports: SidecarPorts,
  configs: readonly string[],
): readonly string[] {
  const single: readonly (readonly [string, string | number | boolean | undefined])[] = [
    ['app-id', app.appID],
    ['app-port', positive(app.appPort)],
    ['app-protocol', app.appProtocol],
    ['app-channel-address', app.appChannelAddress],
    ['app-max-concurrency', app.appMaxConcurrency],
    ['dapr-http-port', ports.http],
    ['dapr-grpc-port', ports.grpc],
    ['dapr-internal-grpc-port', ports.internal],
    ['metrics-port', ports.metrics],
    ['profile-port', positive(app.profilePort)],
    ['dapr-listen-addresses', app.apiListenAddresses ?? '127.0.0.1'],
    ['metrics-listen-address', '127.0.0.1'],
    ['enable-profiling', app.enableProfiling],
    ['log-level', app.logLevel],
    ['enable-app-health-check', app.enableAppHealthCheck],
    ['app-health-check-path', app.appHealthCheckPath],
    ['app-health-probe-interval', positive(app.appHealthProbeInterval)],
    ['app-health-probe-timeout', positive(app.appHealthProbeTimeout)],
    ['app-health-threshold', positive(app.appHealthThreshold)],
    ['enable-api-logging', app.enableApiLogging],
    ['max-body-size', app.maxBodySize],
    ['read-buffer-size', app.readBufferSize],
    ['dapr-http-max-request-size', positive(app.daprHTTPMaxRequestSize)],
    ['dapr-http-read-buffer-size', positive(app.daprHTTPReadBufferSize)],
    ['unix-domain-socket', app.unixDomainSocket],
    ['placement-host-address', app.placementHostAddress],
    ['scheduler-host-address', app.schedulerHostAddress],
  ];
  return [
    ...single
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => `--${name}=${value}`),
    ...app.resourcesPaths.map((path) => `--resources-path=${path}`),
    ...configs.map((path) => `--config=${path}`),
  ];
}

/** What `dapr run` tells an app of itself and of its sidecar; the user's own `env` wins. */
export function appEnv(
  app: AppSettings,
  ports: Partial<SidecarPorts>,
): Readonly<Record<string, string>> {
  const own: readonly (readonly [string, string | number | undefined])[] = [
    ['APP_ID', app.appID],
    ['APP_CHANNEL_ADDRESS', app.appChannelAddress],
    ['APP_PORT', positive(app.appPort)],
    ['APP_PROTOCOL', app.appProtocol],
    ['DAPR_HTTP_PORT', positive(ports.http)],
    ['DAPR_GRPC_PORT', positive(ports.grpc)],
    ['DAPR_METRICS_PORT', positive(ports.metrics)],
  ];
  const set = own.filter(([, value]) => value !== undefined);
  return { ...Object.fromEntries(set.map(([name, value]) => [name, String(value)])), ...app.env };
}

/** Dapr reads 0 and below as "not set". */
function positive(value: number | undefined): number | undefined {
  return value !== undefined && value > 0 ? value : undefined;
}

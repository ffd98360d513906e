import { homedir } from 'node:os';
import { join } from 'node:path';
import { LONGEST_TIMER_MS } from '@holdfast/core';
import type { AppProtocol } from './app/app-channel.ts';
import type { NameResolver } from './names/name-resolver.ts';
import { type MtlsOptions, resolveMtlsOptions } from './peers/mtls-options.ts';
import { isLoopback } from './server/doors/loopback.ts';
import { socketsOf } from './server/doors/socket-paths.ts';

/** Health probes of the application (`--enable-app-health-check`). */
export interface AppHealthCheckOptions {
  /** @default '/healthz' */
  readonly path?: string;
  /** From the start of one probe to that of the next. @default 5_000 ms (1 … 2^31 − 1) */
  readonly intervalMs?: number;
  /** @default 500 ms (1 … 2^31 − 1) */
  readonly timeoutMs?: number;
  /** Failed probes in a row that make it unhealthy. @default 3 (1 … 2^31 − 1) */
  readonly threshold?: number;
}

/**
 * What `startSidecar` is told; the flags of daprd under our own names. Ports are 0 … 65_535, and 0 is any
 * free one. What cannot work is a `RangeError` that names the option, before anything listens.
 */
export interface SidecarOptions {
  /** Names the application; others invoke it by this. No dots. */
  readonly appId: string;
  /** @default none (1 … 65_535): the application calls others but is not called */
  readonly appPort?: number;
  /** How the application is spoken to; `https` and `grpcs` take any certificate. @default 'http' */
  readonly appProtocol?: AppProtocol;
  /** @default '127.0.0.1' */
  readonly appChannelAddress?: string;
  /** Calls in the application at a time; others wait. @default -1 (-1: no limit … 1_000_000) */
  readonly appMaxConcurrency?: number;
  /** What the application is not asked when it starts: `subscribe`, its topics; `config`, its actors. @default [] */
  readonly disableInitEndpoints?: readonly ('config' | 'subscribe')[];
  /** The API. @default 3500 */
  readonly httpPort?: number;
  /** The gRPC API. @default none: there is no gRPC API */
  readonly grpcPort?: number;
  /**
   * A folder for Unix sockets, `dapr-ID-http.socket` and `dapr-ID-grpc.socket`,
   * on which the API listens in place of `httpPort` and `grpcPort`. @default none
   */
  readonly unixDomainSocket?: string;
  /** Other sidecars. @default 0 */
  readonly internalPort?: number;
  /** Where other sidecars call this one; off loopback `mtls` is needed. @default '127.0.0.1' */
  readonly internalListenAddress?: string;
  /** Certificates of the leg between sidecars. @default none: it is in the clear, on loopback */
  readonly mtls?: MtlsOptions;
  /**
   * Listens for other sidecars off loopback although anybody who gets there can
   * then call the application and read what is sent.
   * @default false
   */
  readonly allowPlainInternal?: boolean;
  /** Health and metadata only. @default none */
  readonly publicPort?: number;
  /** Where `publicPort` listens. @default listenAddresses */
  readonly publicListenAddress?: string;
  /** The page that Prometheus reads. @default 9090 */
  readonly metricsPort?: number;
  /** @default '127.0.0.1' */
  readonly metricsListenAddress?: string;
  /** Whether there is that page. @default true */
  readonly enableMetrics?: boolean;
  /**
   * Where the API listens. Anything but loopback opens it to the network: give
   * an `apiToken` then.
   * @default ['127.0.0.1']
   */
  readonly listenAddresses?: readonly string[];
  /**
   * Origins that browsers may call the API from: `*` for all, or each as a
   * browser sends it, with one `*` for any text. @default []: browsers are told nothing
   */
  readonly allowedOrigins?: readonly string[];
  /**
   * HTTP/2 in clear text on the HTTP API's port and socket as well, from the
   * first byte or by `Upgrade: h2c`. @default true
   */
  readonly h2c?: boolean;
  /** Files, or folders without their subfolders, with resources: Resiliency, Component, Subscription, HTTPEndpoint. @default none */
  readonly resourcesPaths?: readonly string[];
  /** Files with a Configuration; later ones win. @default none */
  readonly configPaths?: readonly string[];
  /** Longest body of a request; answers stream whatever their length. @default 4_194_304 bytes (1 … 2^40) */
  readonly maxBodyBytes?: number;
  /** Longest head of a request; 4 KiB more are granted, as by Go. @default 4_096 bytes (1_024 … 2^24) */
  readonly readBufferBytes?: number;
  /** Logs a line for each call of the API, as `logging.apiLogging.enabled` of a Configuration does. @default the Configuration's, else false */
  readonly enableApiLogging?: boolean;
  /** Time for calls in flight when it stops. @default 5_000 ms (0 … 2^31 − 1) */
  readonly gracefulShutdownMs?: number;
  /**
   * How long `stop({ linger: true })`, as `holdfastd` does it at a signal, goes
   * on serving first; it takes no events meanwhile. @default none (0 … 2^31 − 1 ms)
   */
  readonly blockShutdownMs?: number;
  /** @default none */
  readonly appHealthCheck?: AppHealthCheckOptions;
  /** Asked of clients in `dapr-api-token`. @default none */
  readonly apiToken?: string;
  /** Sent to the application in `dapr-api-token`. @default none */
  readonly appApiToken?: string;
  /** @default 'default' */
  readonly namespace?: string;
  /**
   * Told to applications in `X-Forwarded-For`; where `internalListenAddress` is
   * all addresses, others find the sidecar here.
   * @default '127.0.0.1'
   */
  readonly hostAddress?: string;
  /** Where the sidecar keeps what must outlive it: outboxes. @default '~/.holdfast/state' */
  readonly stateDir?: string;
  /**
   * For debugging: a file to which each frame of the leg between sidecars is
   * appended as a line; header values that are secrets are masked, bodies are not. @default none
   */
  readonly frameDumpFile?: string;
  /** A Resiliency file with errors keeps the sidecar from starting. @default false */
  readonly strict?: boolean;
  /** Longest silence of a client within its body, or while an answer waits for it. @default 60_000 ms (1 … 2^31 − 1) */
  readonly stallMs?: number;
  /** Connections accepted by the API at a time. @default 10_000 (1 … 1_000_000) */
  readonly maxConnections?: number;
  /** Longest body kept so that a retry can send it again; longer ones stream. @default maxBodyBytes (0 … 2^40) */
  readonly maxReplayBytes?: number;
  /** Of all such bodies at a time. @default 67_108_864 bytes (0 … 2^40) */
  readonly maxReplayTotalBytes?: number;
  /** `nameResolution` in place of the Configuration's; for tests and embedding. @default the Configuration's, else mDNS */
  readonly names?: NameResolver;
}

export const SIDECAR_DEFAULTS = {
  appProtocol: 'http',
  appChannelAddress: '127.0.0.1',
  appMaxConcurrency: -1,
  httpPort: 3500,
  internalPort: 0,
  internalListenAddress: '127.0.0.1',
  allowPlainInternal: false,
  metricsPort: 9090,
  metricsListenAddress: '127.0.0.1',
  enableMetrics: true,
  listenAddresses: ['127.0.0.1'],
  allowedOrigins: [],
  h2c: true,
  resourcesPaths: [],
  configPaths: [],
  maxBodyBytes: 4 * 1024 * 1024,
  readBufferBytes: 4 * 1024,
  gracefulShutdownMs: 5_000,
  namespace: 'default',
  hostAddress: '127.0.0.1',
  strict: false,
  stallMs: 60_000,
  maxConnections: 10_000,
  maxReplayTotalBytes: 64 * 1024 * 1024,
  stateDir: join(homedir(), '.holdfast', 'state'),
} as const satisfies Partial<SidecarOptions>;

const HIGHEST_PORT = 65_535;

const PROTOCOLS: readonly string[] = ['http', 'https', 'h2c', 'grpc', 'grpcs'];

export type ResolvedSidecarOptions = SidecarOptions &
  Required<Pick<SidecarOptions, keyof typeof SIDECAR_DEFAULTS | 'maxReplayBytes'>> & {
    /** Empty where none was given, which Dapr tells from `default`: in metrics, prefixes of keys, and whose resources count. */
    readonly givenNamespace: string;
  };

/** Fills in defaults and rejects what cannot work, before anything listens. */
export function resolveSidecarOptions(given: SidecarOptions): ResolvedSidecarOptions {
  const merged: SidecarOptions & typeof SIDECAR_DEFAULTS = {
    ...SIDECAR_DEFAULTS,
    ...given,
  } as never;
  const options = {
    ...merged,
    maxReplayBytes: given.maxReplayBytes ?? merged.maxBodyBytes,
    givenNamespace: given.namespace ?? '',
  };
  if (!/^[^./?#\s]+$/.test(options.appId ?? '')) {
    throw new RangeError(
      `sidecar.appId must be a name without dots, slashes and spaces, not "${options.appId}".`,
    );
  }
  if (!PROTOCOLS.includes(options.appProtocol)) {
    throw new RangeError(
      `sidecar.appProtocol must be one of ${PROTOCOLS.join(', ')}, not "${options.appProtocol}".`,
    );
  }
  refuseNumbers(options);
  socketsOf(options);
  refuseOnePortForTwo(options);
  refuseOpenDoor(options);
  return options as ResolvedSidecarOptions;
}

/** What is not given has a default, or none is needed. */
function refuseNumbers(options: SidecarOptions): void {
  const { appHealthCheck: health } = options;
  whole('appPort', options.appPort, 1, HIGHEST_PORT);
  whole('httpPort', options.httpPort, 0, HIGHEST_PORT);
  whole('grpcPort', options.grpcPort, 0, HIGHEST_PORT);
  whole('internalPort', options.internalPort, 0, HIGHEST_PORT);
  whole('publicPort', options.publicPort, 0, HIGHEST_PORT);
  whole('metricsPort', options.metricsPort, 0, HIGHEST_PORT);
  whole('appMaxConcurrency', options.appMaxConcurrency, -1, 1_000_000);
  whole('appHealthCheck.intervalMs', health?.intervalMs, 1, LONGEST_TIMER_MS);
  whole('appHealthCheck.timeoutMs', health?.timeoutMs, 1, LONGEST_TIMER_MS);
  whole('appHealthCheck.threshold', health?.threshold, 1, 2 ** 31 - 1);
  whole('maxBodyBytes', options.maxBodyBytes, 1, 2 ** 40);
  whole('readBufferBytes', options.readBufferBytes, 1024, 2 ** 24);
  whole('gracefulShutdownMs', options.gracefulShutdownMs, 0, LONGEST_TIMER_MS);
  whole('blockShutdownMs', options.blockShutdownMs, 0, LONGEST_TIMER_MS);
  whole('stallMs', options.stallMs, 1, LONGEST_TIMER_MS);
  whole('maxConnections', options.maxConnections, 1, 1_000_000);
  whole('maxReplayBytes', options.maxReplayBytes, 0, 2 ** 40);
  whole('maxReplayTotalBytes', options.maxReplayTotalBytes, 0, 2 ** 40);
}

function refuseOpenDoor(options: SidecarOptions & typeof SIDECAR_DEFAULTS): void {
  const { allowPlainInternal, internalListenAddress: internal, mtls } = options;
  if (mtls !== undefined) resolveMtlsOptions(mtls);
  else if (!isLoopback(internal) && !allowPlainInternal) {
    throw new RangeError(
      `sidecar.internalListenAddress ${internal} (--dapr-internal-grpc-listen-address) is off loopback, where anybody could call the application: give certificates (--enable-mtls), or say --allow-plain-internal.`,
    );
  }
}

/** One of the two would not get it: mostly the application, whose sidecar would then call itself. */
function refuseOnePortForTwo({
  appPort,
  grpcPort,
  httpPort,
  unixDomainSocket,
}: SidecarOptions): void {
  if (appPort === undefined || unixDomainSocket !== undefined) return;
  const own = [
    ['httpPort', '--dapr-http-port', httpPort],
    ['grpcPort', '--dapr-grpc-port', grpcPort],
  ] as const;
  for (const [name, flag, port] of own) {
    if (port !== appPort) continue;
    throw new RangeError(
      `sidecar.${name} (${flag}) and sidecar.appPort (--app-port) are both ${port}: choose another for one of them.`,
    );
  }
}

function whole(name: string, value: number | undefined, min: number, max: number): void {
  if (value === undefined || (Number.isInteger(value) && value >= min && value <= max)) return;
  throw new RangeError(
    `sidecar.${name} must be a whole number from ${min} to ${max}, not ${value}.`,
  );
}

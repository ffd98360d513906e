import type {
  AppHealthCheckOptions,
  AppProtocol,
  MtlsOptions,
  SidecarOptions,
} from '@holdfast/sidecar';
import { checkAppId } from '../flags/app-id.ts';
import { APP_PROTOCOLS, withTls } from '../flags/app-protocol.ts';
import { FlagError, type ParsedFlags } from '../flags/flag.ts';
import { type FlagReader, flagReader } from '../flags/flag-reader.ts';
import { HOLDFASTD_FLAGS } from '../flags/holdfastd-flags.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** What the sidecar's flags and variables say, and how it is to log. */
export interface HoldfastdSettings {
  readonly sidecar: SidecarOptions;
  readonly log: {
    readonly level: 'debug' | 'info' | 'warn' | 'error';
    readonly json: boolean;
    /** Undefined for standard output. */
    readonly file: string | undefined;
  };
}

/**
 * Turns daprd's flags and variables into options of the sidecar. What was not
 * given is left to the sidecar's defaults.
 *
 * @throws FlagError where daprd would not start
 */
export function holdfastdSettings(flags: ParsedFlags, env: Environment): HoldfastdSettings {
  const reader = flagReader(flags);
  const { text, number, boolean, texts } = reader;
  const port = (name: string) => notNegative(number(name));

  const appId = text('app-id') ?? '';
  if (appId === '')
    throw new FlagError('--app-id is missing; give the name other apps call this one by.');
  checkAppId(appId);
  const given = onlyGiven<Omit<SidecarOptions, 'appId'>>({
    appPort: port('app-port') || undefined,
    appProtocol: protocolOf(text('app-protocol'), boolean('app-ssl') ?? false),
    appChannelAddress: text('app-channel-address'),
    appMaxConcurrency: orNoLimit(number('app-max-concurrency'), 1, -1),
    disableInitEndpoints: initEndpoints(texts('disable-init-endpoints')),
    httpPort: port('dapr-http-port'),
    grpcPort: port('dapr-grpc-port') ?? DEFAULT_GRPC_PORT,
    unixDomainSocket: text('unix-domain-socket') || undefined,
    internalPort: port('dapr-internal-grpc-port'),
    internalListenAddress:
      withoutBrackets(text('dapr-internal-grpc-listen-address') || '') || undefined,
    allowPlainInternal: boolean('allow-plain-internal'),
    mtls: boolean('enable-mtls') === true ? certificates(reader, env) : undefined,
    publicPort: port('dapr-public-port') || undefined,
    publicListenAddress: withoutBrackets(text('dapr-public-listen-address') || '') || undefined,
    metricsPort: port('metrics-port'),
    metricsListenAddress: text('metrics-listen-address'),
    enableMetrics: boolean('enable-metrics'),
    listenAddresses: someOf(texts('dapr-listen-addresses').map(withoutBrackets)),
    allowedOrigins: someOf(texts('allowed-origins')),
    h2c: isTruthy(env.DAPR_HTTP_DISABLE_H2C) ? false : undefined,
    // The old name is heard where the new one is not given.
    resourcesPaths: someOf(texts('resources-path')) ?? someOf(texts('components-path')),
    configPaths: someOf(texts('config')),
    maxBodyBytes: orNoLimit(
      number('max-body-size') ?? times(number('dapr-http-max-request-size'), 2 ** 20),
      1,
      LARGEST_BODY_BYTES,
    ),
    readBufferBytes: orNoLimit(
      number('read-buffer-size') ?? times(number('dapr-http-read-buffer-size'), 2 ** 10),
      1,
      LARGEST_HEAD_BYTES,
    ),
    gracefulShutdownMs: times(atLeast(0, number('dapr-graceful-shutdown-seconds')), 1_000),
    blockShutdownMs: wholeMs(number('dapr-block-shutdown-duration')),
    appHealthCheck: boolean('enable-app-health-check') === true ? healthCheck(reader) : undefined,
    apiToken: env.DAPR_API_TOKEN || undefined,
    appApiToken: env.APP_API_TOKEN || undefined,
    namespace: env.NAMESPACE || undefined,
    hostAddress: env.DAPR_HOST_IP || undefined,
    enableApiLogging: boolean('enable-api-logging'),
    stateDir: text('state-dir') || undefined,
    frameDumpFile: env.HOLDFAST_FRAME_DUMP || undefined,
    strict: boolean('strict'),
  });
  return {
    sidecar: { appId, ...given },
    log: {
      level: levelOf(text('log-level') ?? 'info'),
      json: boolean('log-as-json') ?? false,
      file: text('log-file') || undefined,
    },
  };
}

/** As Dapr reads its variables. */
const isTruthy = (text = ''): boolean => /^(?:y|yes|t|true|on|1)$/i.test(text.trim());

const INIT_ENDPOINTS = ['config', 'subscribe'] as const;

type InitEndpoint = (typeof INIT_ENDPOINTS)[number];

/** Dapr's; of the library's callers nobody who did not ask for it gets a port. */
const DEFAULT_GRPC_PORT = 50_001;

function initEndpoints(names: readonly string[]): readonly InitEndpoint[] | undefined {
  const endpoints = names.map((name) => {
    const endpoint = INIT_ENDPOINTS.find((each) => each === name.toLowerCase());
    if (endpoint !== undefined) return endpoint;
    throw new FlagError(
      `--disable-init-endpoints must be of ${INIT_ENDPOINTS.join(' and ')}, not "${name}".`,
    );
  });
  return someOf(endpoints);
}

function protocolOf(given: string | undefined, ssl: boolean): AppProtocol | undefined {
  if (given === undefined && !ssl) return undefined;
  return withTls(APP_PROTOCOLS.find((each) => each === given) ?? 'http', ssl);
}

type CertificateOption = Exclude<keyof MtlsOptions, 'pollMs'>;

/** A file of a flag comes before the PEM text of daprd's variable. */
function certificates({ text }: FlagReader, env: Environment): MtlsOptions {
  const one = (
    [file, flag]: readonly [CertificateOption, string],
    [pem, variable]: readonly [CertificateOption, string],
  ): { readonly [Option in CertificateOption]?: string } => {
    const path = text(flag);
    if (path) return { [file]: path };
    const given = env[variable];
    if (given) return { [pem]: given };
    throw new FlagError(
      `--enable-mtls needs --${flag} or ${variable}; \`holdfast ca\` makes what belongs there.`,
    );
  };
  return {
    ...one(['trustAnchorsFile', 'trust-anchors-file'], ['trustAnchors', 'DAPR_TRUST_ANCHORS']),
    ...one(['certChainFile', 'cert-chain-file'], ['certChain', 'DAPR_CERT_CHAIN']),
    ...one(['certKeyFile', 'cert-key-file'], ['certKey', 'DAPR_CERT_KEY']),
  };
}

const CERTIFICATE_FLAGS = ['trust-anchors-file', 'cert-chain-file', 'cert-key-file'];

/** Who gives certificates may think that they are in use. A sentence for each flag that has no effect as given. */
export function idleCertificates({ values }: ParsedFlags): readonly string[] {
  if (values.get('enable-mtls') === true) return [];
  return CERTIFICATE_FLAGS.filter((name) => values.get(name)).map(
    (name) => `--${name} has no effect without --enable-mtls: sidecars speak in the clear.`,
  );
}

function healthCheck({ text, number }: FlagReader): AppHealthCheckOptions {
  const intervalMs = times(atLeast(1, number('app-health-probe-interval')), 1_000);
  const timeoutMs = atLeast(1, number('app-health-probe-timeout'));
  const longestMs = intervalMs ?? defaultOf('app-health-probe-interval') * 1_000;
  if ((timeoutMs ?? defaultOf('app-health-probe-timeout')) > longestMs) {
    throw new FlagError(
      `--app-health-probe-timeout must be at most --app-health-probe-interval, which is ${longestMs} ms, not ${timeoutMs} ms.`,
    );
  }
  return onlyGiven<AppHealthCheckOptions>({
    path: text('app-health-check-path'),
    intervalMs,
    timeoutMs,
    threshold: atLeast(1, number('app-health-threshold')),
  });
}

const defaultOf = (name: string): number =>
  Number(HOLDFASTD_FLAGS.find((flag) => flag.name === name)?.default);

/** Dapr knows more levels than ours; those above `error` say nothing less. */
function levelOf(level: string): HoldfastdSettings['log']['level'] {
  if (level === 'warning') return 'warn';
  return level === 'debug' || level === 'warn' || level === 'info' ? level : 'error';
}

/** What the sidecar calls no limit: a TiB of body, 16 MiB of head. */
const LARGEST_BODY_BYTES = 2 ** 40;
const LARGEST_HEAD_BYTES = 2 ** 24;

/** daprd reads what is below the least sensible value as "no limit". */
function orNoLimit(value: number | undefined, least: number, noLimit: number): number | undefined {
  return value === undefined || value >= least ? value : noLimit;
}

/** What makes no sense is not said, as with daprd: the default counts. */
function atLeast(least: number, value: number | undefined): number | undefined {
  return value !== undefined && value >= least ? value : undefined;
}

/** Dapr writes "any" as -1 too. */
function notNegative(port: number | undefined): number | undefined {
  return port === undefined ? undefined : Math.max(0, port);
}

/** Go's durations are finer than our timers. */
function wholeMs(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : Math.max(0, Math.round(ms));
}

function times(value: number | undefined, factor: number): number | undefined {
  return value === undefined ? undefined : value * factor;
}

function someOf<T>(list: readonly T[]): readonly T[] | undefined {
  return list.length === 0 ? undefined : list;
}

/** `[::1]` is how daprd's users write an IPv6 address. */
function withoutBrackets(address: string): string {
  return address.replace(/^\[(.*)\]$/, '$1');
}

/** The options that have a value. */
function onlyGiven<Options extends object>(
  given: {
    readonly [Name in keyof Options]: Options[Name] | undefined;
  },
): Partial<Options> {
  const entries = Object.entries(given).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as Partial<Options>;
}

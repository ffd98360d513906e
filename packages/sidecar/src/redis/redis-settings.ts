import type { ComponentSettings } from '../components/component-settings.ts';
import { goBoolean } from '../components/go-boolean.ts';
import { milliseconds } from '../components/milliseconds.ts';
import { wholeNumber } from '../components/whole-number.ts';

/** Where a Redis is and how to talk to it, read from a component's metadata: Dapr's names and defaults. */
export interface RedisSettings {
  readonly component: string;
  /** As in errors: `127.0.0.1:6379`, several joined with a comma. */
  readonly address: string;
  readonly nodes: readonly { readonly host: string; readonly port: number }[];
  readonly kind: 'node' | 'cluster' | 'sentinel';
  /** Of the master that sentinels watch. */
  readonly masterName: string | undefined;
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly sentinelUsername: string | undefined;
  readonly sentinelPassword: string | undefined;
  readonly db: number;
  readonly tls: RedisTls | undefined;
  /** How often a command that could not be sent waits for one more connection. */
  readonly maxRetries: number;
  /** Before a connection is made again; doubled each time, up to `maxRetryMs`. */
  readonly minRetryMs: number;
  readonly maxRetryMs: number;
  /** Before what Redis refused for the time being is asked again; doubled each time, up to `maxRetryMs`. */
  readonly refusedRetryMs: number;
  readonly dialTimeoutMs: number;
  /** Longest wait for an answer; less than 0: there is none. */
  readonly readTimeoutMs: number;
}

export interface RedisTls {
  readonly rejectUnauthorized: boolean;
  readonly cert?: string;
  readonly key?: string;
}

const DEFAULT_PORT = 6379;

/** Ways to sign in that Dapr has and we do not; a component that asks for one must not go on without. */
const ABSENT = ['useEntraID', 'useAzureAD', 'useOIDC'] as const;

/** Before a connection is made again, and before what was refused is asked again where nothing else is said. */
const MIN_RETRY_MS = 8;

export interface RedisSettingsUse {
  /** State stores and locks know two items by their names of before as well. @default false */
  readonly olderNames?: boolean;
  /** `refusedRetryMs` where `redisMinRetryInterval` is not given. @default 8 ms */
  readonly refusedRetryMs?: number;
}

/**
 * How a component reaches Redis, from its metadata.
 *
 * @throws Error that names the component, the item and what is wrong with it.
 */
export function redisSettings(
  settings: ComponentSettings,
  { olderNames = false, refusedRetryMs = MIN_RETRY_MS }: RedisSettingsUse = {},
): RedisSettings {
  const { component } = settings;
  for (const name of ABSENT) {
    if (settings.flag(name)) {
      throw new Error(`component ${component}: metadata ${name} is not in this version`);
    }
  }
  const port = wholeNumber(settings, 'redisPort', 0);
  const nodes = settings
    .required('redisHost')
    .split(',')
    .map((entry) => nodeOf(component, entry.trim(), port));
  const failover = truth(settings, 'failover');
  const kind = failover ? 'sentinel' : kindOf(settings);
  return {
    component,
    nodes,
    address: nodes.map(({ host, port }) => `${host}:${port}`).join(','),
    kind,
    masterName: failover ? settings.required('sentinelMasterName') : undefined,
    // Asked for where they count: elsewhere the log says that they have no effect.
    username: settings.together('redisUsername', 'redisPassword')?.[0],
    password: settings.text('redisPassword'),
    sentinelUsername: failover
      ? settings.together('sentinelUsername', 'sentinelPassword')?.[0]
      : undefined,
    sentinelPassword: failover ? settings.text('sentinelPassword') : undefined,
    db: kind === 'cluster' ? 0 : Math.max(0, wholeNumber(settings, 'redisDB', 0)),
    tls: tlsOf(settings),
    maxRetries: Math.max(
      0,
      wholeNumber(
        settings,
        'redisMaxRetries',
        olderNames ? wholeNumber(settings, 'maxRetries', 3) : 3,
      ),
    ),
    minRetryMs: Math.max(0, milliseconds(settings, 'redisMinRetryInterval', MIN_RETRY_MS)),
    refusedRetryMs: Math.max(0, milliseconds(settings, 'redisMinRetryInterval', refusedRetryMs)),
    maxRetryMs: Math.max(
      0,
      milliseconds(
        settings,
        'redisMaxRetryInterval',
        olderNames ? milliseconds(settings, 'maxRetryBackoff', 512) : 512,
      ),
    ),
    // In Dapr's driver 0 is the default.
    dialTimeoutMs: milliseconds(settings, 'dialTimeout', 0) || 5_000,
    readTimeoutMs: milliseconds(settings, 'readTimeout', 0) || 3_000,
  };
}

/** Dapr takes whatever is no `cluster` for a node; the log names it as without effect. */
function kindOf(settings: ComponentSettings): 'node' | 'cluster' {
  return settings.oneOf('redisType', ['node', 'cluster']) ?? 'node';
}

/** As daprd reads it here, where it takes no `yes`: a connection must not be in the clear by a slip. */
function truth(settings: ComponentSettings, name: string): boolean {
  const text = settings.text(name);
  const value = text === undefined ? false : goBoolean(text);
  if (value !== undefined) return value;
  throw new Error(
    `component ${settings.component}: metadata ${name} must be true or false, not "${text}"`,
  );
}

function nodeOf(component: string, entry: string, port: number) {
  const match = /^(?:\[([^\]]+)\]|([^:]*))(?::(\d+))?$/.exec(entry);
  const host = match?.[1] ?? match?.[2];
  if (match === null || host === undefined || host === '') {
    throw new Error(
      `component ${component}: metadata redisHost "${entry}" is no host:port, such as localhost:6379`,
    );
  }
  const own = match[3] === undefined ? undefined : Number(match[3]);
  if (own !== undefined && port !== 0 && own !== port) {
    throw new Error(
      `component ${component}: redisHost "${entry}" and redisPort ${port} name two ports; leave one out`,
    );
  }
  return { host, port: own ?? (port === 0 ? DEFAULT_PORT : port) };
}

function tlsOf(settings: ComponentSettings): RedisTls | undefined {
  if (!truth(settings, 'enableTLS')) return undefined;
  const rejectUnauthorized = !truth(settings, 'insecureSkipTLSVerify');
  const pair = settings.together('clientCert', 'clientKey');
  if (pair === undefined) return { rejectUnauthorized };
  return { rejectUnauthorized, cert: pair[0], key: pair[1] };
}

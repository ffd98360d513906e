import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import type { ConnectionOptions } from 'node:tls';
import { parseDuration } from '@holdfast/config';
import type { PoolConfig } from 'pg';
import type { ComponentSettings } from '../components/component-settings.ts';
import { durationSetting } from '../components/duration-setting.ts';
import { readGoWhole, readWhole, wholeNumber } from '../components/whole-number.ts';
import { KEEP_ALIVE_MS } from '../flow/keep-alive.ts';
import { connectionItems, isOfSession, isUnheeded } from './connection-items.ts';
import { TARGETS, type Target } from './postgres-servers.ts';

/** How to reach a database, as a component's metadata says it. */
export interface PostgresConnection {
  readonly pool: PoolConfig;
  /** Tried in order. */
  readonly places: readonly { readonly host: string; readonly port: number }[];
  readonly target: Target;
  /** TLS where the server has it, and none where it has not: `sslmode=prefer`, the default as everywhere. */
  readonly tlsOptional: boolean;
  /** Longest wait for a connection, and for the answer to a statement. */
  readonly timeoutMs: number;
  /** What the string and the metadata say and nobody here does. */
  readonly unheeded: readonly string[];
}

const DEFAULT_TIMEOUT_MS = 20_000;
const MIN_TIMEOUT_MS = 1_000;
const IDLE_MS = 30 * 60_000;

/** What the string calls an item, and what a setting of that name in the metadata replaces. */
const OVERRIDES = ['user', 'host', 'hostaddr', 'port', 'database', 'password', 'sslrootcert'];

const EXEC_MODES = [
  'cache_statement',
  'cache_describe',
  'describe_exec',
  'exec',
  'simple_protocol',
];

/** @throws Error for a string that says nothing, or nothing that can be done. */
export async function postgresConnection(settings: ComponentSettings): Promise<PostgresConnection> {
  const items = connectionItems(settings.text('connectionString') ?? settings.text('url') ?? '');
  for (const name of OVERRIDES) {
    const value = settings.text(name);
    if (value !== undefined) items.set(name, value);
  }
  if (items.size === 0)
    throw new Error('failed to build connection string: metadata connectionString is missing');
  for (const flag of ['useAzureAD', 'useAWSIAM']) {
    if (settings.flag(flag)) throw new Error(`metadata ${flag}: not in this version`);
  }
  const timeoutMs = durationSetting(settings, 'timeout', 'timeoutInSeconds') ?? DEFAULT_TIMEOUT_MS;
  if (timeoutMs < MIN_TIMEOUT_MS) {
    throw new Error("invalid value for 'timeout': must be greater than 1s");
  }
  if (items.has('service')) {
    throw new Error(
      'service of the connection string is not in this version: write out what it says',
    );
  }
  const connectS = whole(items, 'connect_timeout') ?? 0;
  const session = [...items].filter(([name]) => isOfSession(name));
  const mode = items.get('sslmode') ?? 'prefer';
  const ssl = await tlsOf(mode, items);
  const most = mostConnections(settings, items);
  const unheeded = [...items].map(([name]) => name).filter(isUnheeded);
  for (const [name, mode] of [
    ['queryExecMode', settings.text('queryExecMode')],
    ['default_query_exec_mode', items.get('default_query_exec_mode')],
  ] as const) {
    if (mode === undefined) continue;
    if (!EXEC_MODES.includes(mode)) {
      throw new Error(`${name} is "${mode}", and must be one of ${EXEC_MODES.join(', ')}`);
    }
    if (name === 'queryExecMode') unheeded.push(name);
  }
  return {
    timeoutMs,
    unheeded,
    places: placesOf(items),
    target: targetOf(items.get('target_session_attrs') || 'any'),
    tlsOptional: mode === 'prefer' || mode === 'allow',
    pool: {
      user: items.get('user') ?? 'postgres',
      ...present('password', items.get('password')),
      database: items.get('database') ?? items.get('user') ?? 'postgres',
      ...present('application_name', items.get('application_name')),
      ...(session.length === 0
        ? {}
        : { options: session.map(([name, value]) => `-c ${name}=${escaped(value)}`).join(' ') }),
      ssl,
      max: most,
      connectionTimeoutMillis: connectS > 0 ? Math.min(connectS * 1_000, timeoutMs) : timeoutMs,
      query_timeout: timeoutMs,
      min: whole(items, 'pool_min_conns') ?? 0,
      idleTimeoutMillis:
        durationSetting(settings, 'connectionMaxIdleTime', 'connMaxIdleTime') ||
        duration('pool_max_conn_idle_time', items) ||
        IDLE_MS,
      maxLifetimeSeconds: Math.ceil((duration('pool_max_conn_lifetime', items) ?? 0) / 1_000),
      keepAlive: true,
      keepAliveInitialDelayMillis: KEEP_ALIVE_MS,
      allowExitOnIdle: true,
    },
  };
}

/**
 * As in Dapr: metadata of 1 and below is as if it were not there, a string's own number is taken as it
 * is, and where neither says it there are as many as processors, and four at least.
 */
function mostConnections(settings: ComponentSettings, items: ReadonlyMap<string, string>): number {
  const inMetadata = wholeNumber(settings, 'maxConns', 0, readGoWhole);
  if (inMetadata > 1) return inMetadata;
  const inString = whole(items, 'pool_max_conns');
  if (inString === undefined) return Math.max(4, availableParallelism());
  if (inString > 0) return inString;
  throw new Error(`pool_max_conns of the connection string must be 1 or more, not ${inString}`);
}

/** As in pgx: a host without a port of its own has the first. */
function placesOf(items: ReadonlyMap<string, string>): PostgresConnection['places'] {
  const hosts = (items.get('hostaddr') ?? items.get('host') ?? '127.0.0.1').split(',');
  const ports = (items.get('port') ?? '5432').split(',').map((text) => {
    const port = /^\s*(\d+)\s*$/.exec(text)?.[1];
    if (port !== undefined && Number(port) >= 1 && Number(port) <= 65_535) return Number(port);
    throw new Error(`port of the connection string must be from 1 to 65535, not "${text}"`);
  });
  return hosts.map((host, at) => ({ host: host.trim(), port: ports[at] ?? ports[0]! }));
}

function targetOf(text: string): Target {
  const target = TARGETS.find((one) => one === text);
  if (target !== undefined) return target;
  throw new Error(`target_session_attrs is "${text}", and must be one of ${TARGETS.join(', ')}`);
}

const present = <Name extends string>(name: Name, value: string | undefined) =>
  value === undefined ? {} : { [name]: value };

/** @throws Error for an item of the string that is no whole number. */
const whole = (items: ReadonlyMap<string, string>, name: string): number | undefined =>
  readWhole(`${name} of the connection string`, items.get(name));

/** @throws Error for what is no duration. */
function duration(name: string, items: ReadonlyMap<string, string>): number | undefined {
  const text = items.get(name);
  if (text === undefined) return undefined;
  const parsed = parseDuration(text);
  if ('ms' in parsed && parsed.ms >= 0) return parsed.ms;
  throw new Error(`${name} of the connection string is "${text}", and must be such as 30m or 1h`);
}

/** In `options`, a space ends a value and a backslash takes that away. */
const escaped = (value: string) => value.replaceAll(/[\\ ]/g, '\\$&');

/** What libpq's modes mean; a root certificate turns `require` into `verify-ca`. */
async function tlsOf(
  mode: string,
  items: ReadonlyMap<string, string>,
): Promise<ConnectionOptions | false> {
  if (mode === 'disable') return false;
  if (!['allow', 'prefer', 'require', 'verify-ca', 'verify-full'].includes(mode)) {
    throw new Error(
      `sslmode is "${mode}", and must be one of disable, allow, prefer, require, verify-ca, verify-full`,
    );
  }
  const read = async (name: string) => {
    const path = items.get(name);
    return path === undefined ? undefined : await readFile(path, 'utf8');
  };
  const [ca, cert, key] = [await read('sslrootcert'), await read('sslcert'), await read('sslkey')];
  const verify = mode.startsWith('verify') || (mode === 'require' && ca !== undefined);
  return {
    ...present('ca', ca),
    ...present('cert', cert),
    ...present('key', key),
    rejectUnauthorized: verify,
    ...(mode === 'verify-full' ? {} : { checkServerIdentity: () => undefined }),
  };
}

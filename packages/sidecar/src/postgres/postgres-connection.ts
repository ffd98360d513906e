import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import type { ConnectionOptions } from 'node:tls';
import type { PoolConfig } from 'pg';
import type { ComponentSettings } from '../components/component-settings.ts';
import { durationSetting } from '../components/duration-setting.ts';

/** How to reach a database, as a component's metadata says it. */
export interface PostgresConnection {
  readonly pool: PoolConfig;
  /** TLS where the server has it, and none where it has not: `sslmode=prefer`, the default as everywhere. */
  readonly tlsOptional: boolean;
  /** Longest wait for a connection, and for the answer to a statement. */
  readonly timeoutMs: number;
}

const DEFAULT_TIMEOUT_MS = 20_000;
const MIN_TIMEOUT_MS = 1_000;
const IDLE_MS = 30 * 60_000;

/** What the string calls an item, and what a setting of that name in the metadata replaces. */
const OVERRIDES = ['user', 'host', 'hostaddr', 'port', 'database', 'password', 'sslrootcert'];

/** Items that are about the connection; whatever else a string holds is a parameter of the session. */
const OURS =
  /^(?:user|password|host|hostaddr|port|database|ssl.*|connect_timeout|pool_.*|application_name|target_session_attrs|passfile|service.*|krb.*|default_query_exec_mode|statement_cache_capacity|description_cache_capacity)$/;

/** @throws Error for a string that says nothing, or nothing that can be done. */
export async function postgresConnection(settings: ComponentSettings): Promise<PostgresConnection> {
  const items = itemsOf(settings.text('connectionString') ?? settings.text('url') ?? '');
  for (const name of OVERRIDES) {
    const value = settings.text(name);
    if (value !== undefined) items.set(name, value);
  }
  if (items.size === 0) throw new Error('failed to build connection string');
  for (const flag of ['useAzureAD', 'useAWSIAM']) {
    if (settings.flag(flag)) throw new Error(`metadata ${flag}: not in this version`);
  }
  const timeoutMs = durationSetting(settings, 'timeout', 'timeoutInSeconds') ?? DEFAULT_TIMEOUT_MS;
  if (timeoutMs < MIN_TIMEOUT_MS) {
    throw new Error("invalid value for 'timeout': must be greater than 1s");
  }
  const host = items.get('hostaddr') ?? items.get('host') ?? '127.0.0.1';
  if (host.includes(',')) throw new Error(`host ${host}: several hosts are not in this version`);
  const connectS = Number(items.get('connect_timeout') ?? 0);
  const session = [...items].filter(([name]) => !OURS.test(name));
  const mode = items.get('sslmode') ?? 'prefer';
  const ssl = await tlsOf(mode, items);
  const most = Number(settings.text('maxConns') ?? items.get('pool_max_conns') ?? 0);
  return {
    timeoutMs,
    tlsOptional: mode === 'prefer' || mode === 'allow',
    pool: {
      host,
      port: Number(items.get('port') ?? 5432),
      user: items.get('user') ?? 'postgres',
      ...present('password', items.get('password')),
      database: items.get('database') ?? items.get('user') ?? 'postgres',
      ...present('application_name', items.get('application_name')),
      ...(session.length === 0
        ? {}
        : { options: session.map(([name, value]) => `-c ${name}=${escaped(value)}`).join(' ') }),
      ssl,
      // Dapr's driver has as many as there are processors, and four at least.
      max: most > 1 ? most : Math.max(4, availableParallelism()),
      connectionTimeoutMillis: connectS > 0 ? Math.min(connectS * 1_000, timeoutMs) : timeoutMs,
      query_timeout: timeoutMs,
      idleTimeoutMillis:
        durationSetting(settings, 'connectionMaxIdleTime', 'connMaxIdleTime') || IDLE_MS,
      keepAlive: true,
      allowExitOnIdle: true,
    },
  };
}

const present = <Name extends string>(name: Name, value: string | undefined) =>
  value === undefined ? {} : { [name]: value };

/** In `options`, a space ends a value and a backslash takes that away. */
const escaped = (value: string) => value.replaceAll(/[\\ ]/g, '\\$&');

/** Both forms of a connection string: an URL, and `name=value` with spaces between. */
function itemsOf(text: string): Map<string, string> {
  const items = /^postgres(?:ql)?:\/\//.test(text) ? urlItems(text) : dsnItems(text);
  const database = items.get('dbname');
  if (database !== undefined) items.set('database', database);
  items.delete('dbname');
  return items;
}

function urlItems(text: string): Map<string, string> {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    // The text itself may hold a password: it is not repeated.
    throw new Error('invalid URL connection string');
  }
  const given: [string, string][] = [
    ['user', decodeURIComponent(url.username)],
    ['password', decodeURIComponent(url.password)],
    ['host', decodeURIComponent(url.hostname.replace(/^\[|\]$/g, ''))],
    ['port', url.port],
    ['database', decodeURIComponent(url.pathname.replace(/^\//, ''))],
    ...url.searchParams,
  ];
  return new Map(given.filter(([, value]) => value !== ''));
}

function dsnItems(text: string): Map<string, string> {
  const items = new Map<string, string>();
  for (const [, name = '', quoted, bare] of text.matchAll(
    /([\w.]+)\s*=\s*(?:'((?:[^'\\]|\\.)*)'|((?:[^\s\\]|\\.)*))/g,
  )) {
    items.set(name, (quoted ?? bare ?? '').replaceAll(/\\(.)/g, '$1'));
  }
  return items;
}

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

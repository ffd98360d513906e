import type { PoolConfig } from 'pg';
import type { PostgresFailure } from './postgres-words.ts';

/** One way to a server: several hosts, and TLS that need not be, are several. */
export type PostgresServer = PoolConfig & { readonly host: string; readonly port: number };

export const TARGETS = [
  'any',
  'read-write',
  'read-only',
  'primary',
  'standby',
  'prefer-standby',
] as const;

/** Which kind of server is wanted, as libpq and pgx have it. */
export type Target = (typeof TARGETS)[number];

/** In the driver's words. */
export const NO_TLS = /does not support SSL/;

/** Refusals that another server, or no TLS, would repeat: a wrong password, no such database, no right to it. */
const LASTING = new Set(['28P01', '3D000', '42501']);
/** With TLS it says who may sign in; without, another rule may let them. */
const NOT_THIS_WAY = '28000';

/**
 * Connects to the first of `servers` that answers and is of the kind wanted, in order, as pgx does.
 *
 * @throws Error of the one that was tried, or with what all of them said.
 */
export async function firstServer<T>(
  servers: readonly PostgresServer[],
  target: Target,
  connect: (server: PostgresServer, target: Exclude<Target, 'prefer-standby'>) => Promise<T>,
): Promise<T> {
  const passes = target === 'prefer-standby' ? (['standby', 'any'] as const) : [target];
  const failures = new Map<PostgresServer, Error>();
  for (const wanted of passes) {
    for (const server of servers) {
      try {
        return await connect(server, wanted);
      } catch (error) {
        failures.set(server, error as Error);
        const { code = '' } = ((error as Error).cause ?? error) as PostgresFailure;
        if (LASTING.has(code) || (code === NOT_THIS_WAY && server.ssl !== false)) {
          throw together(failures);
        }
      }
    }
  }
  throw together(failures);
}

function together(failures: ReadonlyMap<PostgresServer, Error>): Error {
  // That a server has no TLS where none need be is no failure of its own.
  const telling = [...failures].filter(([, { message }]) => !NO_TLS.test(message));
  const all = telling.length > 0 ? telling : [...failures];
  const [[{ user, database }, first]] = all as [[PostgresServer, Error]];
  const said = new Set(
    all.map(([{ host, port }, { message }]) => {
      const own = message.replace(/^failed to connect to `[^`]*`: /, '');
      return own.startsWith(host) ? own : `${host}:${port} (${host}): ${own}`;
    }),
  );
  if (said.size === 1) return first;
  return new Error(
    `failed to connect to \`user=${user} database=${database}\`: ${[...said].join('; ')}`,
    { cause: all.at(-1)![1].cause },
  );
}

/** Asks a new connection whether its server is of the kind wanted. @throws Error in pgx's words where it is not. */
export async function checkTarget(
  target: Exclude<Target, 'prefer-standby'>,
  ask: (sql: string) => Promise<{ readonly rows: readonly Record<string, unknown>[] }>,
): Promise<void> {
  if (target === 'any') return;
  const aboutWrites = target === 'read-write' || target === 'read-only';
  const sql = aboutWrites
    ? 'SHOW transaction_read_only'
    : 'SELECT pg_is_in_recovery()::text AS in_recovery';
  const { rows } = await ask(sql);
  const said = String(Object.values(rows[0] ?? {})[0]);
  const wanted = { 'read-write': 'off', 'read-only': 'on', primary: 'false', standby: 'true' };
  if (said === wanted[target]) return;
  throw new Error(`ValidateConnect failed: ${WRONG[target]}`);
}

const WRONG = {
  'read-write': 'read only connection',
  'read-only': 'connection is not read only',
  primary: 'server is in standby mode',
  standby: 'server is not in hot standby mode',
};

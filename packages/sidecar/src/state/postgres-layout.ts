import type { ComponentSettings } from '../components/component-settings.ts';
import { tableName, tablePrefix } from '../postgres/postgres-names.ts';
import { EtagMismatchError, InvalidEtagError } from './state-store.ts';

/** One of Dapr's two ways to keep state in PostgreSQL: its tables, to the letter, and the statements over them. */
export interface PostgresLayout {
  readonly metadataTable: string;
  readonly migrationsKey: string;
  readonly migrations: readonly string[];
  readonly sweepKey: string;
  readonly deleteExpired: string;
  /** By key `$1`: value (text or bytes), isbinary, etag, expires. */
  readonly get: string;
  /** For queries, up to the WHERE, and what tells an item that has not expired; absent: values are bytes, not looked into. */
  readonly query?: { readonly select: string; readonly live: string };
  /** `$1` key, `$2` value, `$3` seconds to live or null; `$4` whether it is bytes, where `marksBytes`. */
  readonly set: string;
  readonly first: string;
  /** And then the etag. */
  readonly replace: string;
  readonly remove: string;
  /** `$1` key, `$2` etag. */
  readonly removeIf: string;
  /** A value as its column takes it. */
  readonly encode: (value: string | Buffer) => unknown;
  /** Whether a column of its own says that a value is bytes. */
  readonly marksBytes: boolean;
  /** @throws InvalidEtagError or EtagMismatchError for what can be no etag: the database is not asked. */
  readonly checkEtag: (etag: string) => void;
}

const METADATA_TABLE = 'dapr_metadata';
const RFC3339 = `'YYYY-MM-DD"T"HH24:MI:SS"Z"'`;

const metadataTableOf = (settings: ComponentSettings) =>
  tableName(settings.text('metadataTableName') ?? METADATA_TABLE);

/** Version 1: values are jsonb, and the etag is PostgreSQL's own `xmin`, the transaction that wrote the row. */
export function layoutV1(settings: ComponentSettings): PostgresLayout {
  const table = tableName(settings.text('tableName') ?? 'state');
  const live = '(expiredate IS NULL OR expiredate >= CURRENT_TIMESTAMP)';
  const until = 'CURRENT_TIMESTAMP + make_interval(secs => $3::double precision)';
  const set = `
INSERT INTO ${table} AS t (key, value, isbinary, expiredate) VALUES ($1, $2::jsonb, $4::boolean, ${until})
ON CONFLICT (key) DO UPDATE SET
  value = excluded.value, isbinary = excluded.isbinary, updatedate = CURRENT_TIMESTAMP, expiredate = excluded.expiredate`;
  return {
    metadataTable: metadataTableOf(settings),
    migrationsKey: 'migrations',
    migrations: [
      `CREATE TABLE IF NOT EXISTS ${table} (
  key text NOT NULL PRIMARY KEY,
  value jsonb NOT NULL,
  isbinary boolean NOT NULL,
  insertdate TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT NOW(),
  updatedate TIMESTAMP WITH TIME ZONE NULL
)`,
      `ALTER TABLE ${table} ADD expiredate TIMESTAMP WITH TIME ZONE`,
    ],
    sweepKey: 'last-cleanup',
    deleteExpired: `DELETE FROM ${table} WHERE expiredate IS NOT NULL AND expiredate < now()`,
    get: `SELECT value::text AS value, isbinary, xmin::text AS etag, to_char(expiredate AT TIME ZONE 'UTC', ${RFC3339}) AS expires FROM ${table} WHERE key = $1 AND ${live}`,
    query: {
      select: `SELECT key, value::text AS value, isbinary, xmin::text AS etag FROM ${table}`,
      live,
    },
    set,
    // Only where there is nothing, or what there is has expired.
    first: `${set} WHERE t.expiredate IS NOT NULL AND t.expiredate < CURRENT_TIMESTAMP`,
    replace: `UPDATE ${table} SET value = $2::jsonb, isbinary = $4::boolean, updatedate = CURRENT_TIMESTAMP, expiredate = ${until} WHERE key = $1 AND xmin = $5::xid AND ${live}`,
    remove: `DELETE FROM ${table} WHERE key = $1`,
    removeIf: `DELETE FROM ${table} WHERE key = $1 AND xmin = $2::xid`,
    // Bytes are a text of Base64 in jsonb.
    encode: (value) =>
      typeof value === 'string' ? value : JSON.stringify(value.toString('base64')),
    marksBytes: true,
    checkEtag(etag) {
      const why = uint32Fault(etag);
      if (why !== undefined) {
        throw new InvalidEtagError(`strconv.ParseUint: parsing ${JSON.stringify(etag)}: ${why}`);
      }
    },
  };
}

function uint32Fault(text: string): string | undefined {
  if (!/^\d+$/.test(text)) return 'invalid syntax';
  return Number(text) < 2 ** 32 ? undefined : 'value out of range';
}

function uuidFault(text: string): string {
  return [32, 36, 38, 45].includes(text.length)
    ? 'invalid UUID format'
    : `invalid UUID length: ${text.length}`;
}

const UUID = /^[\da-f]{8}-?(?:[\da-f]{4}-?){3}[\da-f]{12}$/i;

/** Version 2: values are bytes, and the etag is a column of its own. */
export function layoutV2(settings: ComponentSettings): PostgresLayout {
  const prefix = tablePrefix(settings.text('tablePrefix') ?? '');
  const table = `${prefix}state`;
  const metadataTable = metadataTableOf(settings);
  const live = '(expires_at IS NULL OR expires_at >= now())';
  const until = 'now() + make_interval(secs => $3::double precision)';
  const set = `
INSERT INTO ${table} AS t (key, value, etag, expires_at) VALUES ($1, $2, gen_random_uuid(), ${until})
ON CONFLICT (key) DO UPDATE SET
  value = excluded.value, updated_at = now(), etag = gen_random_uuid(), expires_at = excluded.expires_at`;
  return {
    metadataTable,
    migrationsKey: `migrations-state-v2-${prefix}`,
    migrations: [
      `CREATE TABLE ${table} (
  key text NOT NULL PRIMARY KEY,
  value bytea NOT NULL,
  etag uuid NOT NULL DEFAULT gen_random_uuid(),
  created_at timestamp with time zone NOT NULL DEFAULT now(),
  updated_at timestamp with time zone,
  expires_at timestamp with time zone
);
CREATE INDEX ON ${table} (expires_at);`,
    ],
    sweepKey: `last-cleanup-state-v2-${metadataTable}`,
    deleteExpired: `DELETE FROM ${table} WHERE expires_at IS NOT NULL AND expires_at < now()`,
    get: `SELECT value, FALSE AS isbinary, etag::text AS etag, to_char(expires_at AT TIME ZONE 'UTC', ${RFC3339}) AS expires FROM ${table} WHERE key = $1 AND ${live}`,
    set,
    first: `${set} WHERE t.expires_at IS NOT NULL AND t.expires_at < now()`,
    replace: `UPDATE ${table} SET value = $2, updated_at = now(), etag = gen_random_uuid(), expires_at = ${until} WHERE key = $1 AND etag = $4::uuid AND ${live}`,
    remove: `DELETE FROM ${table} WHERE key = $1`,
    removeIf: `DELETE FROM ${table} WHERE key = $1 AND etag = $2::uuid`,
    encode: (value) => (typeof value === 'string' ? Buffer.from(value) : value),
    marksBytes: false,
    checkEtag(etag) {
      // Nobody has it, so it matches nothing, as in Dapr; PostgreSQL would refuse the whole statement.
      if (!UUID.test(etag)) throw new EtagMismatchError(uuidFault(etag));
    },
  };
}

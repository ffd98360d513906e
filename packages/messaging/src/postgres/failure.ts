/** What `pg` throws: the server's refusals have an SQLSTATE, the network's errors a system code. */
interface PostgresFailure extends Error {
  readonly code?: string;
}

/** By SQLSTATE, or its class (the first two characters). One sentence that goes on from the database's name. */
const ADVICE: Readonly<Record<string, string>> = {
  '08': 'cannot be reached.',
  '0A000':
    "is set up so that this cannot be done. Give the pool `options: '-c default_transaction_isolation=read\\ committed'`.",
  '25006': 'is read-only: this is a standby. Connect to the primary.',
  '28': 'does not let this user in. Check user, password and pg_hba.conf.',
  '3D000': 'does not exist. Create it, or correct the name.',
  '3F000': 'has lost its tables. Restore them, or restart this process to begin with empty ones.',
  '40': 'ended the transaction in favour of another one.',
  '42501':
    'does not let this user do that. Grant it CREATE on the database for the first start, then the tables.',
  // A function that waited for the change of a table finds a row longer than those it was made for.
  '42804': 'was brought up to date by a newer Holdfast in the middle of this.',
  '42883': 'has lost its functions. Restore them, or drop the schema and restart.',
  '42P01': 'has lost its tables. Restore them, or restart this process to begin with empty ones.',
  '53100': 'has no room left on its disk. Free some space.',
  '53300': 'has no connection left. Raise max_connections, or use fewer.',
  '53': 'has no resources left.',
  '55P03': 'is locked by another transaction.',
  '57014': 'cancelled the statement: it took longer than statement_timeout.',
  '57': 'is being shut down or started.',
  '58': 'could not read or write its files. Look at its log.',
  XX: 'has damaged data, or a defect. Look at its log.',
};

const NETWORK =
  /^(?:ECONN|EPIPE|ETIMEDOUT|EHOST|ENET|ENOTFOUND|EAI_)|Connection terminated|timeout|not queryable|ended|after calling end|Client was closed/i;

const TLS = /^(?:ERR_TLS_|ERR_SSL_|.*CERT|UNABLE_TO_|HOSTNAME_MISMATCH)|does not support SSL/;

/** What an operator can do about an error of `pg`; undefined where it is no failure of the database but a mistake of ours. */
export function readPostgresFailure(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code = '', message } = error as PostgresFailure;
  const advice =
    ADVICE[code] ?? (/^[0-9A-Z]{5}$/.test(code) ? ADVICE[code.slice(0, 2)] : undefined);
  if (advice !== undefined) return `${advice} (${message})`;
  if (TLS.test(code) || TLS.test(message)) {
    return `cannot be reached over TLS. Check the pool's \`ssl\` and the server's certificate. (${message})`;
  }
  if (NETWORK.test(code) || NETWORK.test(message)) return `cannot be reached. (${message || code})`;
  return undefined;
}

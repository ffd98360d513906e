export interface SqliteLocation {
  /** As SQLite opens it: a URI, or `:memory:`. */
  readonly uri: string;
  /** Nothing can be written there, tables neither. */
  readonly readOnly: boolean;
  readonly inMemory: boolean;
  /** `cache_size(-2000)`, to be set after our own. */
  readonly pragmas: readonly string[];
  /** What the string says besides and nobody here does. */
  readonly unheeded: readonly string[];
}

/** What SQLite itself takes in a URI. */
const SQLITES = new Set(['mode', 'cache', 'immutable', 'nolock', 'psow', 'vfs', 'modeof']);

/** Pragmas that the metadata decide: Dapr refuses them in the string, in these words. */
const DECIDED: readonly (readonly [name: string, remedy: string])[] = [
  ['busy_timeout', 'give the metadata busyTimeout'],
  ['journal_mode', 'give the metadata disableWAL'],
  ['foreign_keys', 'leave it out'],
];

const PRAGMA = /^[a-z_]+ *(?:\( *[-\w.']+ *\)|= *[-\w.']+)$/i;
const TX_LOCKS = ['deferred', 'immediate', 'exclusive'];

/**
 * Where a connection string leads, read as Dapr's driver reads it: a path or a
 * `file:` URI (so that `%20` and `#` have their meaning in both), and after a
 * question mark SQLite's own parameters, `_pragma` and `_txlock`.
 *
 * @throws Error for what may not stand there.
 */
export function sqliteLocation(connection: string): SqliteLocation {
  const at = connection.indexOf('?');
  const path = at < 0 ? connection : connection.slice(0, at);
  const given = new URLSearchParams(at < 0 ? '' : connection.slice(at + 1));
  const pragmas = given.getAll('_pragma').map((one) => one.trim());
  for (const pragma of pragmas) checkPragma(pragma);
  const lock = given.get('_txlock')?.toLowerCase() ?? 'immediate';
  if (!TX_LOCKS.includes(lock)) {
    throw new Error(
      `_txlock of the connection string is "${lock}", not one of ${TX_LOCKS.join(', ')}`,
    );
  }
  const taken = new URLSearchParams();
  const unheeded = lock === 'immediate' ? [] : ['_txlock'];
  for (const name of new Set(given.keys())) {
    // The first of several counts, as in Dapr.
    if (SQLITES.has(name)) taken.set(name, given.get(name)!);
    else if (name !== '_pragma' && name !== '_txlock') unheeded.push(name);
  }
  const inMemory = /^(?:file:)?:memory:/i.test(path) || taken.get('mode') === 'memory';
  if (inMemory) return { uri: ':memory:', readOnly: false, inMemory, pragmas, unheeded };
  const query = taken.size === 0 ? '' : `?${taken}`;
  return {
    uri: `${/^file:/i.test(path) ? '' : 'file:'}${path}${query}`,
    readOnly: taken.get('mode') === 'ro' || taken.get('immutable') === '1',
    inMemory,
    pragmas,
    unheeded,
  };
}

function checkPragma(pragma: string): void {
  for (const [name, remedy] of DECIDED) {
    if (!pragma.toLowerCase().startsWith(name)) continue;
    throw new Error(`found forbidden option '_pragma=${name}' in the connection string; ${remedy}`);
  }
  if (PRAGMA.test(pragma)) return;
  // It becomes a statement.
  throw new Error(
    `_pragma of the connection string is "${pragma}", and must be such as cache_size(-2000)`,
  );
}

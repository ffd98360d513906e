import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { LONGEST_HOLD_MS, LONGEST_WAIT_MS } from '../hold.ts';
import { DEAD, DELIVERED, QUEUED, REPLACED, SCHEDULED, WITHDRAWN } from '../kept-states.ts';
import { prepareAll } from './prepare-all.ts';

/**
 * The store's statements, prepared once per connection: preparing costs more than running. That is also
 * why a limit is written `:limit + 0`: SQLite plans by the value of a bare `LIMIT :limit`, and prepares
 * the statement again each time another is bound (50 µs for a lease that takes 6).
 */
export type Statements = Readonly<Record<keyof typeof SQL, StatementSync>>;

const COLUMNS =
  'seq, id, topic, key, headers, body, bytes, accepted_ms, deliveries, replays, died_ms, reason, history, expire_ms';
const COLUMNS_OF_F = COLUMNS.replaceAll(/\w+/g, 'f.$&');
/** The latest end of a lease or of a wait that was not made by a clock that has jumped since. */
const LATEST = (row = '') =>
  `:now + iif(${row}lease IS NULL, ${LONGEST_WAIT_MS}, ${LONGEST_HOLD_MS})`;
const FREE = `(due_ms <= :now OR due_ms > ${LATEST()})`;
const PAUSED = '(until_ms IS NULL OR until_ms > :now)';
const AWAKE = `topic NOT IN (SELECT topic FROM paused WHERE ${PAUSED})`;
const FREE_TO_GO = `state = ${QUEUED} AND priority = 0 AND ${FREE}
      AND (key IS NULL OR NOT EXISTS (
        SELECT 1 FROM message AS e WHERE e.state = ${QUEUED} AND e.due_ms > 0
          AND e.topic = m.topic AND e.key = m.key AND e.seq < m.seq
          AND e.due_ms > :now AND e.due_ms <= ${LATEST('e.')}))`;
const DUE = `FROM message AS m WHERE ${FREE_TO_GO} AND ${AWAKE} ORDER BY seq`;
// Only messages without a key have a priority.
const FREE_URGENT = `state = ${QUEUED} AND priority > 0 AND ${FREE}`;
const URGENT = `FROM message WHERE ${FREE_URGENT} AND ${AWAKE} ORDER BY priority DESC, seq`;

/**
 * Of named topics (a JSON list) it is looked at the first of each, by an index of topics: the heap of a topic that is
 * at its limit, or that nobody handles, costs the others nothing.
 */
const EACH_TOPIC = `(SELECT DISTINCT value AS topic FROM json_each(:topics)
    WHERE value NOT IN (SELECT topic FROM paused WHERE ${PAUSED})) AS t`;
const firstOfEach = (
  free: string,
  order: string,
) => `FROM ${EACH_TOPIC} CROSS JOIN message AS f ON f.seq IN (
      SELECT m.seq FROM message AS m WHERE m.topic = t.topic AND ${free} ORDER BY ${order} LIMIT :limit + 0)`;
const anyOfEach = (free: string) =>
  `SELECT 1 FROM ${EACH_TOPIC} WHERE EXISTS (SELECT 1 FROM message AS m WHERE m.topic = t.topic AND ${free})`;

const STARTABLE = `FROM message WHERE state = ${SCHEDULED} AND start_ms <= :now ORDER BY start_ms, seq`;

const HELD_BY = `seq = :seq AND lease = :token AND due_ms > :now AND state = ${QUEUED}`;

/** So many are inserted with one statement. */
export const INSERT_LOT = 10;
const INSERT = (
  rows: number,
) => `INSERT INTO message (id, topic, key, headers, body, bytes, accepted_ms, state, start_ms, priority, expire_ms)
    VALUES ${Array(rows).fill('(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)').join(', ')} ON CONFLICT (id) DO NOTHING`;

const SQL = {
  insert: INSERT(1),
  insertLot: INSERT(INSERT_LOT),
  insertReplacing: `INSERT INTO message (seq, id, topic, key, headers, body, bytes, accepted_ms, state, start_ms, priority, expire_ms, name, since_ms)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  // Named, and in nobody's hand.
  waitingAs: `SELECT seq, bytes, accepted_ms, start_ms, since_ms FROM message
    WHERE topic = :topic AND name = :name AND state IN (${QUEUED}, ${SCHEDULED})
      AND (lease IS NULL OR due_ms <= :now OR due_ms > ${LATEST()})`,
  // Its place may be taken: it goes to the end, where it is remembered the longest.
  replaced: `UPDATE message SET seq = (SELECT max(seq) + 1 FROM message), state = ${DELIVERED}, body = x'', headers = '', history = NULL,
      reason = '${REPLACED}', lease = NULL, due_ms = 0, start_ms = 0, progress = NULL
    WHERE seq = ?`,
  idsAfter: 'SELECT id FROM message WHERE seq > ?',
  known: 'SELECT 1 FROM message WHERE id = ?',
  totals: 'SELECT queued, queued_bytes, successful, remembered, dead FROM total',
  setTotals:
    'UPDATE total SET queued = ?, queued_bytes = ?, successful = ?, remembered = ?, dead = ?',
  // One statement, for each takes and gives back the lock that readers have.
  anything: `SELECT CASE WHEN EXISTS (SELECT 1 FROM paused WHERE ${PAUSED}) THEN 2
    ELSE EXISTS (SELECT 1 ${STARTABLE}) OR EXISTS (SELECT 1 ${DUE}) OR EXISTS (SELECT 1 ${URGENT}) END AS found`,
  due: `SELECT ${COLUMNS} ${DUE} LIMIT :limit + 0`,
  urgent: `SELECT ${COLUMNS} ${URGENT} LIMIT :limit + 0`,
  anythingOf: `SELECT EXISTS (SELECT 1 ${STARTABLE}) OR EXISTS (${anyOfEach(FREE_TO_GO)}) OR EXISTS (${anyOfEach(FREE_URGENT)}) AS found`,
  dueOf: `SELECT ${COLUMNS_OF_F} ${firstOfEach(FREE_TO_GO, 'm.seq')} ORDER BY f.seq LIMIT :limit + 0`,
  urgentOf: `SELECT ${COLUMNS_OF_F} ${firstOfEach(FREE_URGENT, 'm.priority DESC, m.seq')}
    ORDER BY f.priority DESC, f.seq LIMIT :limit + 0`,
  // From one topic to the next, by the index of topics.
  awake: `WITH RECURSIVE t (topic) AS (
      SELECT min(topic) FROM message WHERE state = ${QUEUED}
      UNION ALL SELECT (SELECT min(m.topic) FROM message AS m WHERE m.state = ${QUEUED} AND m.topic > t.topic) FROM t WHERE t.topic IS NOT NULL)
    SELECT topic FROM t WHERE topic IS NOT NULL AND ${AWAKE}`,
  startable: `SELECT seq ${STARTABLE} LIMIT :limit + 0`,
  enter: `UPDATE message SET seq = (SELECT max(seq) + 1 FROM message), state = ${QUEUED}, accepted_ms = start_ms, start_ms = 0
    WHERE seq = ?`,
  take: 'UPDATE message SET lease = ?, due_ms = ?, deliveries = deliveries + 1 WHERE seq = ?',
  // `+ 0`: beside the index of what is held, whose rows have `due_ms > 0`, a bare `:now` is looked at as a limit is.
  complete: `UPDATE message SET state = ${DELIVERED}, body = x'', headers = '', history = NULL, lease = NULL, due_ms = 0, progress = NULL
    WHERE seq IN (SELECT value FROM json_each(:seqs)) AND lease = :token AND due_ms > :now + 0 AND state = ${QUEUED} RETURNING bytes`,
  keepResult: `UPDATE message SET result = :text, result_until_ms = :until WHERE ${HELD_BY}`,
  dropResults: `UPDATE message SET result = NULL, result_until_ms = NULL
    WHERE seq IN (SELECT seq FROM message WHERE result_until_ms <= :now ORDER BY result_until_ms LIMIT :limit + 0)`,
  renew: `UPDATE message SET due_ms = :due WHERE ${HELD_BY}`,
  note: `UPDATE message SET progress = :text, progress_of = :token WHERE ${HELD_BY}`,
  release: `UPDATE message SET lease = NULL, due_ms = :due, deliveries = deliveries - :uncount, history = coalesce(:history, history)
    WHERE ${HELD_BY}`,
  bury: `UPDATE message SET state = ${DEAD}, lease = NULL, due_ms = 0, progress = NULL, died_ms = :now, reason = :reason, history = :history
    WHERE ${HELD_BY} RETURNING bytes`,
  // In the state of what was delivered, which is what keeps its id; the reason tells them apart.
  withdraw: `UPDATE message SET state = ${DELIVERED}, body = x'', headers = '', reason = '${WITHDRAWN}', lease = NULL, due_ms = 0, start_ms = 0, progress = NULL
    WHERE id = ? AND state IN (${QUEUED}, ${SCHEDULED}) RETURNING bytes`,
  historyOf: 'SELECT history FROM message WHERE seq = ?',
  trim: `DELETE FROM message WHERE seq IN (SELECT seq FROM message WHERE state = ${DELIVERED} ORDER BY seq LIMIT ? + 0)`,
  oldest: `SELECT accepted_ms FROM message WHERE state = ${QUEUED} ORDER BY seq LIMIT 1`,
  startedFirst: `SELECT start_ms FROM message WHERE state = ${SCHEDULED} ORDER BY start_ms LIMIT 1`,
  find: `SELECT id, state, deliveries, reason, history,
      lease IS NOT NULL AND due_ms > :now AND due_ms <= :now + ${LONGEST_HOLD_MS} AS leased,
      CASE WHEN progress_of = lease THEN progress END AS progress,
      CASE WHEN result_until_ms > :now THEN result END AS result
    FROM message WHERE id = :id`,
  listQueued: `SELECT ${COLUMNS} FROM message WHERE state = ${QUEUED} AND seq > :after
    UNION ALL SELECT ${COLUMNS} FROM message WHERE state = ${SCHEDULED} AND seq > :after ORDER BY seq LIMIT :limit + 0`,
  listDead: `SELECT ${COLUMNS} FROM message WHERE state = ${DEAD} AND seq > ? ORDER BY seq LIMIT ? + 0`,
  deadFirst: `SELECT seq, died_ms FROM message WHERE state = ${DEAD} ORDER BY died_ms, seq LIMIT ? + 0`,
  findDead: `SELECT ${COLUMNS} FROM message WHERE id = ? AND state = ${DEAD}`,
  amend: `UPDATE message SET topic = ?1, key = ?2, headers = ?3, body = ?4, bytes = ?5, history = ?6,
    priority = iif(?2 IS NULL, priority, 0) WHERE seq = ?7`,
  addDead: `INSERT INTO message (id, topic, key, headers, body, bytes, accepted_ms, state, died_ms, reason, deliveries, replays, history)
    VALUES (?, ?, ?, ?, ?, ?, ?, ${DEAD}, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING`,
  forget: `DELETE FROM message WHERE id = ? AND state = ${DELIVERED}`,
  deadById: `SELECT seq, bytes, history FROM message WHERE id = ? AND state = ${DEAD}`,
  revive: `UPDATE message SET seq = (SELECT max(seq) + 1 FROM message), state = ${QUEUED}, reason = NULL, died_ms = NULL,
    deliveries = 0, replays = replays + 1, expire_ms = NULL, history = ? WHERE seq = ?`,
  remove: 'DELETE FROM message WHERE seq = ?',
  pause: `INSERT INTO paused VALUES (:topic, :now, :until)
    ON CONFLICT (topic) DO UPDATE SET until_ms = :until, since_ms = iif(${PAUSED}, since_ms, :now)`,
  resume: 'DELETE FROM paused WHERE topic = ?',
  isPaused: `SELECT 1 FROM paused WHERE topic = :topic AND ${PAUSED}`,
  paused: `SELECT topic, since_ms, until_ms FROM paused WHERE ${PAUSED} ORDER BY topic`,
} as const;

export const prepareStatements = (database: DatabaseSync): Statements => prepareAll(database, SQL);

/** A row as `COLUMNS` names it. */
export interface MessageRow {
  readonly seq: number;
  readonly id: string;
  readonly topic: string;
  readonly key: string | null;
  readonly headers: string;
  readonly body: Uint8Array;
  readonly bytes: number;
  readonly accepted_ms: number;
  readonly deliveries: number;
  readonly replays: number;
  readonly died_ms: number | null;
  readonly reason: string | null;
  readonly history: string | null;
  readonly expire_ms: number | null;
}

export interface Totals {
  queued: number;
  queued_bytes: number;
  successful: number;
  remembered: number;
  dead: number;
}

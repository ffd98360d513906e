import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { LONGEST_HOLD_MS } from '../hold.ts';
import { prepareAll } from '../sqlite/prepare-all.ts';

/** Prepared once per connection: preparing costs more than running, and a bare `LIMIT :limit` prepares anew each time. */
export type Statements = Readonly<Record<keyof typeof SQL, StatementSync>>;

/** A lease that ends later than any lease may was made by a clock that has jumped since: it is over. */
const HELD = `owner IS NOT NULL AND due_ms > :now AND due_ms <= :now + ${LONGEST_HOLD_MS}`;
const FREE = `(owner IS NULL OR due_ms <= :now OR due_ms > :now + ${LONGEST_HOLD_MS})`;

const SQL = {
  join: `INSERT INTO member_group (topic, name, seen_ms) VALUES (:topic, :name, :now)
    ON CONFLICT (topic, name) DO UPDATE SET seen_ms = excluded.seen_ms RETURNING id`,
  isThere: 'SELECT 1 FROM member_group WHERE id = :group AND topic = :topic AND name = :name',
  seen: 'UPDATE member_group SET seen_ms = :now WHERE id = :group',
  unseen: 'SELECT id FROM member_group WHERE seen_ms < :before',
  forget: 'DELETE FROM member_group WHERE id = ?',
  waitingOf: 'SELECT seq FROM delivery WHERE group_id = ?',
  groups: 'SELECT id FROM member_group WHERE topic = ?',

  messages: 'SELECT messages FROM total',
  setMessages: 'UPDATE total SET messages = ?',
  insert: `INSERT INTO message (id, topic, key, headers, body, expires_ms, waiting)
    VALUES (?, ?, ?, ?, ?, ?, ?)`,
  offer: 'INSERT INTO delivery (group_id, seq) VALUES (?, ?)',
  laggard: `SELECT g.topic, g.name, count(*) AS waiting FROM delivery AS d
    JOIN member_group AS g ON g.id = d.group_id GROUP BY d.group_id ORDER BY waiting DESC LIMIT 1`,

  heldByOther: `SELECT 1 FROM delivery WHERE group_id = :group AND ${HELD} AND owner <> :owner LIMIT 1`,
  free: `SELECT d.seq, d.deliveries, m.id, m.topic, m.key, m.headers, m.body
    FROM delivery AS d JOIN message AS m ON m.seq = d.seq
    WHERE d.group_id = :group AND ${FREE} AND (m.expires_ms IS NULL OR m.expires_ms > :now)
    ORDER BY d.seq LIMIT :limit + 0`,
  anyFree: `SELECT 1 FROM delivery AS d JOIN message AS m ON m.seq = d.seq
    WHERE d.group_id = :group AND ${FREE} AND (m.expires_ms IS NULL OR m.expires_ms > :now) LIMIT 1`,
  take: `UPDATE delivery SET owner = :owner, due_ms = :due, deliveries = deliveries + 1
    WHERE group_id = :group AND seq = :seq`,
  /** Beside `renew`, and not its `RETURNING`, which takes twice as long. */
  ours: 'SELECT seq FROM delivery WHERE group_id = :group AND owner = :owner',
  renew: 'UPDATE delivery SET due_ms = :due WHERE group_id = :group AND owner = :owner',
  release: `UPDATE delivery SET owner = NULL, due_ms = 0 WHERE group_id = :group AND owner = :owner`,
  acknowledge: 'DELETE FROM delivery WHERE group_id = ? AND seq = ?',
  oneLess: 'UPDATE message SET waiting = waiting - 1 WHERE seq = ?',
  clear: 'DELETE FROM message WHERE seq = ? AND waiting <= 0',

  expired: `SELECT seq FROM message WHERE expires_ms <= :now LIMIT :limit + 0`,
  withdraw: `DELETE FROM delivery WHERE group_id IN (SELECT id FROM member_group) AND seq = :seq AND ${FREE}`,
  less: 'UPDATE message SET waiting = waiting - ? WHERE seq = ?',
} as const;

export const prepareStatements = (database: DatabaseSync): Statements => prepareAll(database, SQL);

/** Takes a message off the list of one group, and out of the file where it was the last. */
export function acknowledge(sql: Statements, group: number, seq: number): void {
  if (Number(sql.acknowledge.run(group, seq).changes) === 0) return;
  sql.oneLess.run(seq);
  if (Number(sql.clear.run(seq).changes) > 0) countOff(sql, 1);
}

export function heldMessages(sql: Statements): number {
  return Number(sql.messages.get()?.messages ?? 0);
}

export function countOff(sql: Statements, gone: number): void {
  sql.setMessages.run(Math.max(0, heldMessages(sql) - gone));
}

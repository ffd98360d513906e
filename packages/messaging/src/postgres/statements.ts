import { LONGEST_HOLD_MS } from '../hold.ts';
import { DEAD, DELIVERED, QUEUED, SCHEDULED, WITHDRAWN } from '../kept-states.ts';
import { COLUMNS } from './rows.ts';

/** Rows of leases: of each given seq and token the message, if it is still held. */
const GIVEN = 'unnest($1::bigint[], $2::text[]) AS g (seq, token)';

/**
 * In a statement that takes or ends leases: it is committed without waiting for the disk. A server that crashes in the next
 * moments forgets it, in the order of what was written, and those messages are delivered once more. What is accepted,
 * buried, replayed or withdrawn is waited for, and with it all that was written before.
 */
const UNFLUSHED = "set_config('synchronous_commit', 'off', true)";

/** The statements of a store in `schema`. Each is one round trip, and one transaction. */
export function statements(schema: string) {
  const message = `${schema}.message`;
  // Said twice which rows are meant: the planner knows what an array of keys costs, and nothing of `unnest`.
  const held = `m.seq = ANY ($1::bigint[]) AND m.seq = g.seq AND m.lease = g.token AND m.state = ${QUEUED} AND m.due_ms > (SELECT ${schema}.now_ms())`;
  const tally = (columns: string, from: string) =>
    `INSERT INTO ${schema}.tally SELECT ${columns} FROM ${from} HAVING count(*) > 0`;
  const LEASED = `${COLUMNS}, coalesce(expire_ms <= ${schema}.now_ms(), false) AS expired`;
  const pausing = `coalesce(until_ms > ${schema}.now_ms(), true)`;
  const oldestFirst = `SELECT ${COLUMNS} FROM ${message}`;
  return {
    totals: `SELECT sum(queued)::text AS queued, sum(queued_bytes)::text AS queued_bytes, sum(successful)::text AS successful,
        sum(remembered)::text AS remembered, sum(dead)::text AS dead,
        (SELECT accepted_ms FROM ${message} WHERE state = ${QUEUED} ORDER BY seq LIMIT 1)::text AS accepted_ms,
        (SELECT start_ms FROM ${message} WHERE state = ${SCHEDULED} ORDER BY start_ms LIMIT 1)::text AS start_ms,
        (SELECT json_agg(json_build_object('topic', topic, 'forMs', greatest(0, ${schema}.now_ms() - since_ms),
          'endsInMs', until_ms - ${schema}.now_ms()) ORDER BY topic COLLATE "C") FROM ${schema}.paused WHERE ${pausing})::text AS paused,
        ${schema}.now_ms()::text AS now_ms
      FROM ${schema}.tally`,
    room: `SELECT sum(queued)::text AS queued, sum(queued_bytes)::text AS queued_bytes,
        (SELECT json_agg(id) FROM ${message} WHERE id = ANY ($1::text[]))::text AS known
      FROM ${schema}.tally`,
    // Nothing, where there may not be room for all; then it is looked at more closely. Without limits there is.
    insert: `SELECT ${schema}.keep($1::text[], $2::text[], $3::text[], $4::text[], $5::bytea[], $6::integer[], $7::bigint[], $8::smallint[],
      $9::text, $10::bigint, $11::bigint, $12::bigint[], $13::text) AS kept`,
    // As it, where a message may replace others.
    put: `WITH given AS (SELECT sum(bytes) AS bytes FROM unnest($6::integer[]) AS g (bytes)),
      room AS MATERIALIZED (
        SELECT $10::bigint IS NULL OR (SELECT sum(queued) + cardinality($1::text[]) <= $10::bigint
          AND sum(queued_bytes) + (SELECT bytes FROM given) <= $11::bigint FROM ${schema}.tally) AS enough
      ), kept AS MATERIALIZED (
        SELECT CASE WHEN enough THEN ${schema}.put($1::text[], $2::text[], $3::text[], $4::text[], $5::bytea[], $6::integer[], $7::bigint[],
          $8::smallint[], $12::bigint[], $14::text[], $15::boolean[], $16::bigint[]) END AS ids FROM room
      ), rung AS (SELECT pg_notify($9, $13) FROM kept WHERE $9 <> '' AND cardinality(ids) > 0)
      SELECT to_json(ids)::text AS kept, (SELECT count(*) FROM rung) FROM kept`,
    lease: `SELECT ${LEASED} FROM ${schema}.lease($1, $2, $3, $4::text[]), ${UNFLUSHED} AS soft`,
    leaseOf: `SELECT ${LEASED} FROM ${schema}.lease_of($1, $2, $3, $4::text[]), ${UNFLUSHED} AS soft`,
    complete: `SELECT ${schema}.complete($1::bigint[], $2::text[]) AS done, ${UNFLUSHED}`,
    // As it, with what is kept of each; and results whose time is over go, as many again as come, for nobody else clears them away.
    completeWith: `WITH done AS (
        UPDATE ${message} AS m SET state = ${DELIVERED}, body = '', headers = '', history = NULL, lease = NULL, due_ms = 0, progress = NULL,
          result = g.text, result_until_ms = (SELECT ${schema}.now_ms()) + g.kept_ms
        FROM unnest($1::bigint[], $2::text[], $3::text[], $4::bigint[]) AS g (seq, token, text, kept_ms) WHERE ${held} RETURNING m.bytes
      ), dropped AS (
        UPDATE ${message} SET result = NULL, result_until_ms = NULL WHERE seq = ANY (ARRAY(
          SELECT seq FROM ${message} WHERE result_until_ms <= (SELECT ${schema}.now_ms()) ORDER BY result_until_ms
          LIMIT 2 * cardinality($1::bigint[]) FOR UPDATE SKIP LOCKED))
      ), counted AS (${tally('-count(*), -sum(bytes), count(*), count(*), 0', 'done')})
      SELECT count(*)::integer AS done, ${UNFLUSHED} FROM done`,
    renew: `WITH done AS (
        UPDATE ${message} AS m SET due_ms = (SELECT ${schema}.now_ms()) + $3 FROM ${GIVEN} WHERE ${held} RETURNING 1
      ) SELECT count(*)::integer AS done, ${UNFLUSHED} FROM done`,
    note: `WITH done AS (
        UPDATE ${message} AS m SET progress = g.text, progress_of = g.token
        FROM unnest($1::bigint[], $2::text[], $3::text[]) AS g (seq, token, text) WHERE ${held} RETURNING 1
      ) SELECT count(*)::integer AS done, ${UNFLUSHED} FROM done`,
    release: `WITH done AS (
        UPDATE ${message} AS m SET lease = NULL, due_ms = (SELECT ${schema}.now_ms()) + $3, deliveries = m.deliveries - $4::integer,
          history = CASE WHEN $5::text IS NULL THEN m.history ELSE ${schema}.noted(m.history, 'failed', $5) END
        FROM ${GIVEN} WHERE ${held} RETURNING 1
      ) SELECT count(*)::integer AS done, ${UNFLUSHED} FROM done`,
    bury: `WITH done AS (
        UPDATE ${message} AS m SET state = ${DEAD}, lease = NULL, due_ms = 0, progress = NULL, died_ms = ${schema}.now_ms(), reason = $3,
          history = ${schema}.noted(m.history, 'died', $4)
        FROM ${GIVEN} WHERE ${held} RETURNING m.bytes
      ), counted AS (${tally('-count(*), -sum(bytes), 0, 0, count(*)', 'done')})
      SELECT count(*)::integer AS done FROM done`,
    // In the state of what was delivered, which is what keeps its id; the reason tells them apart.
    withdraw: `WITH done AS (
        UPDATE ${message} SET state = ${DELIVERED}, body = '', headers = '', reason = '${WITHDRAWN}', lease = NULL, due_ms = 0, start_ms = 0, progress = NULL
        WHERE id = ANY ($1::text[]) AND state IN (${QUEUED}, ${SCHEDULED}) RETURNING bytes
      ), counted AS (${tally('-count(*), -sum(bytes), 0, count(*), 0', 'done')})
      SELECT count(*)::integer AS done FROM done`,
    pause: `WITH before AS (SELECT 1 FROM ${schema}.paused WHERE topic = $1 AND ${pausing}), done AS (
        INSERT INTO ${schema}.paused AS p VALUES ($1, ${schema}.now_ms(), ${schema}.now_ms() + $2::bigint)
        ON CONFLICT (topic) DO UPDATE SET until_ms = excluded.until_ms,
          since_ms = CASE WHEN coalesce(p.until_ms > excluded.since_ms, true) THEN p.since_ms ELSE excluded.since_ms END
      ) SELECT 1 - count(*)::integer AS done FROM before`,
    resume: `WITH over AS (DELETE FROM ${schema}.paused WHERE topic = $1 RETURNING until_ms),
      done AS (SELECT 1 FROM over WHERE ${pausing}),
      rung AS (SELECT pg_notify($2, '') FROM done WHERE $2 <> '')
      SELECT count(*)::integer AS done, (SELECT count(*) FROM rung) FROM done`,
    find: `SELECT state, id, deliveries, reason, history::text,
        lease IS NOT NULL AND due_ms > ${schema}.now_ms() AND due_ms <= ${schema}.now_ms() + ${LONGEST_HOLD_MS} AS leased,
        CASE WHEN progress_of = lease THEN progress END AS progress,
        CASE WHEN result_until_ms > ${schema}.now_ms() THEN result END AS result
      FROM ${message} WHERE id = $1`,
    listQueued: `${oldestFirst} WHERE state IN (${QUEUED}, ${SCHEDULED}) AND seq > $1 ORDER BY message.seq LIMIT $2`,
    listDead: `${oldestFirst.replace(' FROM', `, (${schema}.now_ms() - died_ms)::text AS dead_for FROM`)}
      WHERE state = ${DEAD} AND seq > $1 ORDER BY message.seq LIMIT $2`,
    findDead: `${oldestFirst.replace(' FROM', `, (${schema}.now_ms() - died_ms)::text AS dead_for FROM`)}
      WHERE state = ${DEAD} AND id = $1`,
    amend: `WITH done AS (
        UPDATE ${message} SET topic = $2, key = $3, headers = $4, body = $5, bytes = $6,
          priority = CASE WHEN $3::text IS NULL THEN priority ELSE 0 END,
          history = ${schema}.noted(history, 'edited', $7)
        WHERE id = $1 AND state = ${DEAD} RETURNING 1
      ) SELECT count(*)::integer AS done FROM done`,
    // Looked at by what inserts, so that it comes first.
    addDead: `WITH gone AS (
        DELETE FROM ${message} WHERE $12 AND id = ANY ($1::text[]) AND state = ${DELIVERED} RETURNING 1
      ), forgotten AS (${tally('0, 0, 0, -count(*), 0', 'gone')}), done AS (
        INSERT INTO ${message} (id, topic, key, headers, body, bytes, priority, accepted_ms, start_ms, state, died_ms, reason, deliveries, replays, history)
        SELECT id, topic, key, headers, body, bytes, 0, ${schema}.now_ms(), 0, ${DEAD}, ${schema}.now_ms() - dead_for, reason, deliveries, replays, history::jsonb
        FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bytea[], $6::integer[], $7::bigint[], $8::text[], $9::integer[], $10::integer[], $11::text[])
          WITH ORDINALITY AS g (id, topic, key, headers, body, bytes, dead_for, reason, deliveries, replays, history, place)
        WHERE (SELECT count(*) FROM gone) >= 0 ORDER BY place ON CONFLICT (id) DO NOTHING RETURNING 1
      ), counted AS (${tally('0, 0, 0, 0, count(*)', 'done')})
      SELECT count(*)::integer AS done FROM done`,
    replay: `SELECT ${schema}.replay($1) AS done`,
    discard: `WITH done AS (DELETE FROM ${message} WHERE id = ANY ($1::text[]) AND state = ${DEAD} RETURNING 1),
      counted AS (${tally('0, 0, 0, 0, -count(*)', 'done')})
      SELECT count(*)::integer AS done FROM done`,
    deadFirst: `SELECT seq::text, (${schema}.now_ms() - died_ms)::text AS age, (SELECT sum(dead) FROM ${schema}.tally)::text AS dead
      FROM ${message} WHERE state = ${DEAD} ORDER BY died_ms, message.seq LIMIT $1`,
    purge: `WITH done AS (DELETE FROM ${message} WHERE seq = ANY ($1::bigint[]) AND state = ${DEAD} RETURNING 1),
      counted AS (${tally('0, 0, 0, 0, -count(*)', 'done')})
      SELECT count(*)::integer AS done FROM done`,
    // What is more than is to be remembered; those that another process deletes just now are left to it.
    trim: `WITH done AS (
        DELETE FROM ${message} WHERE seq = ANY (ARRAY(
          SELECT seq FROM ${message} WHERE state = ${DELIVERED} ORDER BY seq
          LIMIT greatest(0, (SELECT sum(remembered) FROM ${schema}.tally) - $1) FOR UPDATE SKIP LOCKED))
        RETURNING 1
      ), counted AS (${tally('0, 0, 0, -count(*), 0', 'done')})
      SELECT count(*)::integer AS done, ${UNFLUSHED} FROM done`,
    fold: `WITH gone AS (
        DELETE FROM ${schema}.tally WHERE ctid = ANY (ARRAY(SELECT ctid FROM ${schema}.tally LIMIT 10000 FOR UPDATE SKIP LOCKED))
        RETURNING *
      ) ${tally('sum(queued), sum(queued_bytes), sum(successful), sum(remembered), sum(dead)', 'gone')}`,
  } as const;
}

export type Statements = ReturnType<typeof statements>;

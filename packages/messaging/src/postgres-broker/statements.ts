import { LIVE } from './tables.ts';

/** The statements of a broker in `schema`. Each is one round trip, and one transaction. */
export function statements(schema: string) {
  const now = `(SELECT ${schema}.broker_now_ms())`;
  const publish = (fresh: string) => `WITH given AS (
      SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bytea[], $7::text[])
        WITH ORDINALITY AS g (topic, id, key, headers, body, known, place)
    ), awaited AS (
      SELECT DISTINCT g.topic, g.known FROM given AS g
      WHERE EXISTS (SELECT 1 FROM ${schema}.broker_group AS b WHERE b.topic = g.topic)
    ), fresh AS (${fresh}), kept AS (
      INSERT INTO ${schema}.broker_delivery (group_id, id, key, headers, body)
      SELECT b.id, g.id, g.key, g.headers, g.body
      FROM given AS g JOIN fresh AS f ON f.topic = g.topic AND f.known = g.known
        JOIN ${schema}.broker_group AS b ON b.topic = g.topic
      ORDER BY g.place, b.id RETURNING 1
    ), rung AS (
      SELECT pg_notify($6, t.topic) FROM (SELECT DISTINCT topic FROM fresh) AS t WHERE $6 <> ''
    ) SELECT (SELECT count(*) FROM kept)::integer AS kept, (SELECT count(*) FROM rung) AS rung,
      ARRAY(SELECT DISTINCT g.topic FROM given AS g WHERE g.topic NOT IN (SELECT topic FROM awaited)) AS lonely`;
  return {
    /** Ids that are known are left out, in one order, so that no two wait for each other. */
    publishOnce: publish(`INSERT INTO ${schema}.broker_known AS k (topic, id, at_ms)
      SELECT topic, known, ${now} FROM awaited ORDER BY topic, known
      ON CONFLICT (topic, id) DO UPDATE SET at_ms = excluded.at_ms WHERE k.at_ms <= excluded.at_ms - $8::bigint
      RETURNING topic, id AS known`),
    publish: publish('SELECT topic, known FROM awaited'),
    /** Of each topic the fullest group; counted up to `$2`. */
    waiting: `SELECT DISTINCT ON (b.topic) b.topic, b.name, w.count::integer AS waiting
      FROM ${schema}.broker_group AS b CROSS JOIN LATERAL (
        SELECT count(*) FROM (
          SELECT 1 FROM ${schema}.broker_delivery AS d WHERE d.group_id = b.id LIMIT $2) AS few) AS w
      WHERE b.topic = ANY ($1::text[]) ORDER BY b.topic, w.count DESC`,
    /** What others forget just now is left to them. */
    forgetIds: `DELETE FROM ${schema}.broker_known WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM ${schema}.broker_known WHERE at_ms <= ${now} - $1::bigint
        ORDER BY at_ms LIMIT $2 FOR UPDATE SKIP LOCKED))`,
    join: `SELECT id, ordered, ${now}::text AS now FROM ${schema}.broker_join($1, $2, $3)`,
    /**
     * After \`$7\`, by its own clock, it takes nothing: a server that stood still finds in its buffers what its clients
     * have given up long ago, and would claim for nobody what others have handled.
     *
     * A live claim under its name that is none of `$8`, what it has, was put back with a backup, maybe under a
     * connection of a pool that nobody missed. Of its key nothing is taken until it lapses, as if it were another's.
     */
    take: `SELECT seq::text, id, key, headers, body, deliveries FROM ${schema}.broker_take(
        $1, $2, CASE WHEN ${now} > $7::bigint THEN 0 ELSE $3::integer END, $4, $5, $6::text[] || ARRAY(
          SELECT c.key FROM ${schema}.broker_claim AS c
          WHERE $5::boolean AND c.group_id = $1 AND c.holder = $2 AND c.key IS NOT NULL
            AND c.seq <> ALL ($8::bigint[]) AND ${LIVE('c', now)}))`,
    /** Only what this member still has; said twice which rows are meant, for the planner. */
    acknowledge: `WITH mine AS (
        DELETE FROM ${schema}.broker_claim WHERE group_id = $1 AND holder = ANY ($2::text[]) AND seq = ANY ($3::bigint[]) RETURNING seq
      ) DELETE FROM ${schema}.broker_delivery
        WHERE group_id = $1 AND seq = ANY ($3::bigint[]) AND seq IN (SELECT seq FROM mine) RETURNING seq::text`,
    /** Nobody claims of this group until the end of the transaction; the next statement sees what was claimed. */
    lock: `SELECT pg_advisory_xact_lock(hashtext('${schema}.broker'), $1)`,
    /**
     * Handled by this member, whose claim a crashed server forgot, or which lapsed: while nobody else has it.
     * Its id says that it is the same message still, and not another one after a backup was put back.
     */
    acknowledgeUnclaimed: `WITH handled AS (
        DELETE FROM ${schema}.broker_delivery AS d USING unnest($3::bigint[], $4::text[]) AS g (seq, id)
        WHERE d.group_id = $1 AND d.seq = ANY ($3::bigint[]) AND d.seq = g.seq AND d.id = g.id AND (
          SELECT c.holder <> ALL ($2::text[]) AND ${LIVE('c', now)} FROM ${schema}.broker_claim AS c
          WHERE c.group_id = $1 AND c.seq = d.seq) IS NOT TRUE
        RETURNING d.seq
      ) DELETE FROM ${schema}.broker_claim
        WHERE group_id = $1 AND seq = ANY ($3::bigint[]) AND seq IN (SELECT seq FROM handled)`,
    /** One that has lapsed is lost, although nobody has taken it yet: those behind it may be gone. */
    renew: `UPDATE ${schema}.broker_claim AS c SET until_ms = ${now} + $5::bigint, deliveries = g.deliveries
      FROM unnest($3::bigint[], $4::integer[]) AS g (seq, deliveries)
      WHERE c.group_id = $1 AND c.holder = ANY ($2::text[]) AND c.seq = ANY ($3::bigint[]) AND c.seq = g.seq AND ${LIVE('c', now)}
      RETURNING c.seq::text`,
    /** Those of others that lapsed within the last `$4` ms, or are about to: as if they had just been renewed. */
    spare: `UPDATE ${schema}.broker_claim AS c SET until_ms = ${now} + $3::bigint
      WHERE c.group_id = $1 AND c.holder <> ALL ($2::text[])
        AND c.until_ms > ${now} - $4::bigint AND c.until_ms <= ${now} + $3::bigint`,
    giveBack: `WITH back AS (
        UPDATE ${schema}.broker_claim AS c SET until_ms = 0, deliveries = g.deliveries
        FROM unnest($3::bigint[], $4::integer[]) AS g (seq, deliveries)
        WHERE c.group_id = $1 AND c.holder = ANY ($2::text[]) AND c.seq = ANY ($3::bigint[]) AND c.seq = g.seq RETURNING 1
      ) SELECT pg_notify($5, $6) FROM (SELECT 1 FROM back LIMIT 1) AS few WHERE $5 <> ''`,
    group: `SELECT id, ${now}::text AS now FROM ${schema}.broker_group WHERE topic = $1 AND name = $2`,
    dropGroup: `DELETE FROM ${schema}.broker_group WHERE id = $1`,
    dropDeliveries: `WITH gone AS (
        DELETE FROM ${schema}.broker_delivery WHERE group_id = $1 AND seq = ANY (ARRAY(
          SELECT seq FROM ${schema}.broker_delivery WHERE group_id = $1 ORDER BY seq LIMIT $2)) RETURNING 1
      ) SELECT count(*)::integer AS gone FROM gone`,
    dropClaims: `DELETE FROM ${schema}.broker_claim WHERE group_id = $1`,
  } as const;
}

export type Statements = ReturnType<typeof statements>;

import { LONGEST_HOLD_MS } from '../hold.ts';

/**
 * How PostgreSQL is a broker.
 *
 * **A row for each group, made at publish**, body and all, and deleted when the group has
 * acknowledged it. The other way, one log and a cursor for each group, writes less where many groups
 * read one topic. But numbers are given out before they are committed: a cursor that has passed 8
 * never sees the 7 of a transaction that commits later, unless readers wait for every open transaction
 * of the database, or writers wait for each other; here nothing waits, and a row that becomes visible
 * late is just handed over late. Nothing has to find out either whether every group has had a message
 * before it can go: what is acknowledged is gone, and a group that is away costs the others nothing.
 *
 * **Claims beside the rows**, not in them: to claim copies no body, and the few rows of `broker_claim`
 * say exactly which keys are in whose hands. One that has lapsed stays, with its count of deliveries,
 * until the message is acknowledged.
 *
 * **One member of a group claims at a time**, under an advisory lock that is held for about a
 * millisecond: the commit of a claim waits for no disk, because one that is lost in a crash of the
 * server only means that the message is handed over again. With `SKIP LOCKED` in its place two members
 * that look in the same moment can each take one message of the same key. It is used where order does
 * not matter: to forget old ids.
 */
export const tables = (schema: string) => `
  CREATE TABLE ${schema}.broker_group (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    topic text NOT NULL,
    name text NOT NULL,
    ordered boolean NOT NULL,
    UNIQUE (topic, name)
  );

  CREATE SEQUENCE ${schema}.broker_seq;
  CREATE TABLE ${schema}.broker_delivery (
    group_id integer NOT NULL,
    seq bigint NOT NULL DEFAULT nextval('${schema}.broker_seq'),
    id text NOT NULL,
    key text,
    headers text NOT NULL,
    body bytea NOT NULL,
    PRIMARY KEY (group_id, seq)
  ) WITH (autovacuum_vacuum_scale_factor = 0.05);

  CREATE TABLE ${schema}.broker_claim (
    group_id integer NOT NULL,
    seq bigint NOT NULL,
    key text,
    holder text NOT NULL,
    until_ms bigint NOT NULL,
    deliveries integer NOT NULL,
    PRIMARY KEY (group_id, seq)
  ) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);
  CREATE INDEX broker_claim_key ON ${schema}.broker_claim (group_id, key) WHERE key IS NOT NULL;

  CREATE TABLE ${schema}.broker_known (
    topic text NOT NULL,
    id text NOT NULL,
    at_ms bigint NOT NULL,
    PRIMARY KEY (topic, id)
  ) WITH (autovacuum_vacuum_scale_factor = 0.05);
  CREATE INDEX broker_known_age ON ${schema}.broker_known (at_ms);

  CREATE FUNCTION ${schema}.broker_now_ms() RETURNS bigint LANGUAGE sql VOLATILE AS
    $$ SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint $$;

  ${joinFunction(schema)}
  ${takeFunction(schema)}
`;

/** Held, and not by a clock that has jumped since. */
export const LIVE = (row: string, moment: string) =>
  `(${row}.until_ms > ${moment} AND ${row}.until_ms <= ${moment} + ${LONGEST_HOLD_MS})`;

/**
 * Makes the group where it is missing. What it was made for changes only while nobody has anything of
 * it in hand; until then the answer is what it is, and the caller has to agree or leave.
 */
function joinFunction(schema: string): string {
  return `
  CREATE FUNCTION ${schema}.broker_join(wanted_topic text, wanted_name text, wanted boolean)
  RETURNS TABLE (id integer, ordered boolean) LANGUAGE plpgsql AS $$
    #variable_conflict use_column
    BEGIN
      INSERT INTO ${schema}.broker_group (topic, name, ordered) VALUES (wanted_topic, wanted_name, wanted)
        ON CONFLICT (topic, name) DO NOTHING;
      UPDATE ${schema}.broker_group AS b SET ordered = wanted
        WHERE b.topic = wanted_topic AND b.name = wanted_name AND b.ordered <> wanted AND NOT EXISTS (
          SELECT 1 FROM ${schema}.broker_claim AS c
          WHERE c.group_id = b.id AND ${LIVE('c', `${schema}.broker_now_ms()`)});
      RETURN QUERY SELECT b.id, b.ordered FROM ${schema}.broker_group AS b
        WHERE b.topic = wanted_topic AND b.name = wanted_name;
    END
  $$;`;
}

/**
 * How far a member looks for a message of a key that nobody else has in hand. Where more than so many
 * in a row belong to others, it waits until they are through with some.
 */
const LOOK_AHEAD = 1_000;

/**
 * Its plans are kept by the session, often from when the tables were empty and reading all of them was
 * cheapest: so they must use the indexes, and ask of each candidate by a look into one, which no join can
 * turn into reading the whole backlog.
 */
function takeFunction(schema: string): string {
  return `
  CREATE FUNCTION ${schema}.broker_take(
    g integer, member text, most integer, hold_ms bigint, by_key boolean, stuck text[]
  ) RETURNS TABLE (seq bigint, id text, key text, headers text, body bytea, deliveries integer) LANGUAGE plpgsql
  SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off AS $$
    #variable_conflict use_column
    DECLARE
      moment bigint;
      chosen bigint[];
    BEGIN
      IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'messages are claimed under READ COMMITTED, not %', upper(current_setting('transaction_isolation'))
          USING ERRCODE = 'feature_not_supported';
      END IF;
      PERFORM pg_advisory_xact_lock(hashtext('${schema}.broker'), g);
      PERFORM set_config('synchronous_commit', 'off', true);
      moment := ${schema}.broker_now_ms();
      chosen := ARRAY(
        SELECT h.seq FROM (
          SELECT d.seq, d.key FROM ${schema}.broker_delivery AS d
          WHERE d.group_id = g AND (
            SELECT ${LIVE('c', 'moment')} FROM ${schema}.broker_claim AS c WHERE c.group_id = g AND c.seq = d.seq) IS NOT TRUE
          ORDER BY d.seq LIMIT ${LOOK_AHEAD}) AS h
        WHERE CASE WHEN NOT by_key OR h.key IS NULL THEN true
          WHEN h.key = ANY (stuck) THEN false
          ELSE (
            SELECT true FROM ${schema}.broker_claim AS c
            WHERE c.group_id = g AND c.key = h.key AND c.holder <> member AND ${LIVE('c', 'moment')} LIMIT 1) IS NULL END
        ORDER BY h.seq LIMIT most);
      IF cardinality(chosen) = 0 THEN
        RETURN;
      END IF;
      INSERT INTO ${schema}.broker_claim AS c (group_id, seq, key, holder, until_ms, deliveries)
        SELECT g, d.seq, d.key, member, moment + hold_ms, 1 FROM ${schema}.broker_delivery AS d
        WHERE d.group_id = g AND d.seq = ANY (chosen) ORDER BY d.seq
        ON CONFLICT (group_id, seq) DO UPDATE
          SET holder = excluded.holder, until_ms = excluded.until_ms, deliveries = c.deliveries + 1;
      RETURN QUERY SELECT d.seq, d.id, d.key, d.headers, d.body, (
          SELECT c.deliveries FROM ${schema}.broker_claim AS c WHERE c.group_id = g AND c.seq = d.seq)
        FROM ${schema}.broker_delivery AS d WHERE d.group_id = g AND d.seq = ANY (chosen) ORDER BY d.seq;
    END
  $$;`;
}

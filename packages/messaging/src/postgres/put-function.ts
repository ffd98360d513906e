import { LONGEST_HOLD_MS } from '../hold.ts';
import { DELIVERED, QUEUED, REPLACED, SCHEDULED } from '../kept-states.ts';

/** So long a lock may have been waited for, while somebody leased for as long as can be. */
const LATE_BY_MS = 60_000;

/**
 * Version 5: a name under which others take a message's place, and since when they have done so; what is kept of a job's result,
 * and until when. The function appends what may replace, and returns the ids that are new; an accept in which nothing does is a
 * statement without it.
 *
 * Names are locked before anything is looked at, in one order, so that of two that append under one name at the same moment the
 * second sees the first. What somebody leases meanwhile is looked at again when its row is free, and is in hand by then.
 */
export const forReplacing = (schema: string) => `
  ALTER TABLE ${schema}.message ADD COLUMN name text, ADD COLUMN since_ms bigint,
    ADD COLUMN result text, ADD COLUMN result_until_ms bigint;
  CREATE INDEX message_result ON ${schema}.message (result_until_ms) WHERE result_until_ms IS NOT NULL;
  CREATE INDEX message_named ON ${schema}.message (topic, name) WHERE name IS NOT NULL AND state IN (${QUEUED}, ${SCHEDULED});
  CREATE FUNCTION ${schema}.put(ids text[], topics text[], keys text[], heads text[], bodies bytea[], sizes integer[], delays bigint[],
    priorities smallint[], lifetimes bigint[], names text[], keeps boolean[], most bigint[]) RETURNS text[] LANGUAGE plpgsql
  SET enable_seqscan = off AS $$
    DECLARE
      moment bigint := ${schema}.now_ms();
      given record;
      old record;
      mine bigint;
      start bigint;
      since bigint;
      fresh text[] := '{}';
      size bigint := 0;
      gone integer := 0;
    BEGIN
      IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'messages that replace others are accepted under READ COMMITTED, not %', upper(current_setting('transaction_isolation'))
          USING ERRCODE = 'feature_not_supported';
      END IF;
      PERFORM pg_advisory_xact_lock(hashtext('${schema}.put'), lane) FROM (
        SELECT DISTINCT hashtext(topic || chr(31) || name) AS lane FROM unnest(topics, names) AS n (topic, name)
        WHERE name IS NOT NULL ORDER BY lane) AS lanes;
      FOR given IN
        SELECT * FROM unnest(ids, topics, keys, heads, bodies, sizes, delays, priorities, lifetimes, names, keeps, most)
          WITH ORDINALITY AS g (id, topic, key, headers, body, bytes, delay_ms, priority, lifetime_ms, name, keeps, most_ms, place)
        ORDER BY place
      LOOP
        start := CASE WHEN given.delay_ms > 0 THEN moment + given.delay_ms ELSE 0 END;
        INSERT INTO ${schema}.message AS m
            (id, topic, key, headers, body, bytes, priority, accepted_ms, state, start_ms, expire_ms, name, since_ms)
          VALUES (given.id, given.topic, given.key, given.headers, given.body, given.bytes, given.priority, moment,
            CASE start WHEN 0 THEN ${QUEUED} ELSE ${SCHEDULED} END, start, greatest(moment, start) + given.lifetime_ms, given.name, moment)
          ON CONFLICT (id) DO NOTHING RETURNING m.seq INTO mine;
        CONTINUE WHEN mine IS NULL;
        fresh := fresh || given.id;
        size := size + given.bytes;
        CONTINUE WHEN given.name IS NULL;

        SELECT array_agg(w.seq) AS seqs, sum(w.bytes) AS bytes, min(w.since_ms) AS since, min(w.start_ms) AS start,
          min(w.seq) FILTER (WHERE w.state = ${QUEUED}) AS place, (array_agg(w.accepted_ms ORDER BY w.state, w.seq))[1] AS accepted
        INTO old FROM (
          SELECT m.seq, m.bytes, m.since_ms, m.state, m.start_ms, m.accepted_ms FROM ${schema}.message AS m
          WHERE m.topic = given.topic AND m.name = given.name AND m.state IN (${QUEUED}, ${SCHEDULED}) AND m.seq <> mine
            AND (m.lease IS NULL OR m.due_ms <= moment OR m.due_ms > moment + ${LONGEST_HOLD_MS + LATE_BY_MS})
          FOR UPDATE) AS w;
        since := least(moment, old.since);
        IF given.keeps AND old.seqs IS NOT NULL THEN
          start := CASE WHEN old.place IS NULL THEN old.start ELSE 0 END;
        ELSE
          start := least(moment + given.delay_ms, since + given.most_ms);
          start := CASE WHEN start > moment THEN start ELSE 0 END;
        END IF;
        IF start > 0 THEN
          old.place := NULL;
        END IF;
        IF old.seqs IS NOT NULL THEN
          UPDATE ${schema}.message AS m SET seq = CASE WHEN m.seq = old.place THEN nextval('${schema}.message_seq') ELSE m.seq END,
            state = ${DELIVERED}, body = '', headers = '', history = NULL, reason = '${REPLACED}', lease = NULL, due_ms = 0,
            start_ms = 0, progress = NULL
            WHERE m.seq = ANY (old.seqs);
          gone := gone + cardinality(old.seqs);
          size := size - old.bytes;
        END IF;
        UPDATE ${schema}.message AS m SET seq = coalesce(old.place, m.seq),
          accepted_ms = CASE WHEN old.place IS NULL THEN moment ELSE old.accepted END,
          state = CASE start WHEN 0 THEN ${QUEUED} ELSE ${SCHEDULED} END, start_ms = start,
          expire_ms = greatest(moment, start) + given.lifetime_ms, since_ms = since
          WHERE m.seq = mine;
      END LOOP;
      IF cardinality(fresh) > 0 THEN
        INSERT INTO ${schema}.tally VALUES (cardinality(fresh) - gone, size, 0, gone, 0);
      END IF;
      RETURN fresh;
    END
  $$;
`;

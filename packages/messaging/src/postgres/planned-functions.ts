import { DELIVERED, QUEUED, SCHEDULED } from '../kept-states.ts';

/**
 * What is done for each message, as functions, whose plans a connection keeps: parsing and planning the same as a statement took more
 * than doing it. `complete` is planned each time all the same, by what is in the table now: a plan from when it was empty reads all that is
 * queued, and so does a statement that is prepared by name, which not every pool in between knows besides.
 *
 * `keep` appends, tells who listens that `teller` did, and returns the ids that are new as JSON; null, and nothing is done, where there may not
 * be room for all: `most` and `most_bytes`, null for no limit. `complete` says how many were still held.
 */
export const plannedFunctions = (schema: string) => `
  CREATE FUNCTION ${schema}.keep(ids text[], topics text[], keys text[], heads text[], bodies bytea[], sizes integer[], delays bigint[],
    priorities smallint[], channel text, most bigint, most_bytes bigint, lifetimes bigint[], teller text) RETURNS text LANGUAGE plpgsql AS $$
    DECLARE
      moment bigint := ${schema}.now_ms();
      fresh json;
      many integer;
      size bigint;
    BEGIN
      IF most IS NOT NULL AND (
        SELECT sum(queued) + cardinality(ids) > most OR sum(queued_bytes) + (SELECT sum(n) FROM unnest(sizes) AS s (n)) > most_bytes
        FROM ${schema}.tally) THEN
        RETURN NULL;
      END IF;
      WITH kept AS (
        INSERT INTO ${schema}.message (id, topic, key, headers, body, bytes, priority, accepted_ms, expire_ms, state, start_ms)
        SELECT g.id, g.topic, g.key, g.headers, g.body, g.bytes, g.priority, moment, moment + g.delay_ms + g.lifetime_ms,
          CASE WHEN g.delay_ms > 0 THEN ${SCHEDULED} ELSE ${QUEUED} END,
          CASE WHEN g.delay_ms > 0 THEN moment + g.delay_ms ELSE 0 END
        FROM unnest(ids, topics, keys, heads, bodies, sizes, delays, priorities, lifetimes)
          WITH ORDINALITY AS g (id, topic, key, headers, body, bytes, delay_ms, priority, lifetime_ms, place)
        ORDER BY g.place
        ON CONFLICT (id) DO NOTHING RETURNING message.id, message.bytes
      ) SELECT json_agg(kept.id), count(*), sum(kept.bytes) INTO fresh, many, size FROM kept;
      IF many > 0 THEN
        INSERT INTO ${schema}.tally VALUES (many, size, 0, 0, 0);
        IF channel <> '' THEN
          PERFORM pg_notify(channel, teller);
        END IF;
      END IF;
      RETURN coalesce(fresh, '[]');
    END
  $$;

  CREATE FUNCTION ${schema}.complete(seqs bigint[], tokens text[]) RETURNS integer LANGUAGE plpgsql
  SET plan_cache_mode = force_custom_plan AS $$
    DECLARE
      moment bigint := ${schema}.now_ms();
      many integer;
      size bigint;
    BEGIN
      WITH done AS (
        UPDATE ${schema}.message AS m
        SET state = ${DELIVERED}, body = '', headers = '', history = NULL, lease = NULL, due_ms = 0, progress = NULL
        FROM unnest(seqs, tokens) AS g (seq, token)
        WHERE m.seq = ANY (seqs) AND m.seq = g.seq AND m.lease = g.token AND m.state = ${QUEUED} AND m.due_ms > moment
        RETURNING m.bytes
      ) SELECT count(*), sum(done.bytes) INTO many, size FROM done;
      IF many > 0 THEN
        INSERT INTO ${schema}.tally VALUES (-many, -size, many, many, 0);
      END IF;
      RETURN many;
    END
  $$;
`;

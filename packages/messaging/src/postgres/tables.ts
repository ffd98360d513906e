import { LONGEST_HOLD_MS, LONGEST_WAIT_MS } from '../hold.ts';
import { DEAD, DELIVERED, QUEUED, SCHEDULED } from '../kept-states.ts';
import { plannedFunctions } from './planned-functions.ts';
import { forReplacing } from './put-function.ts';

/** Keys share so many locks: two that share one are at worst leased one after the other. */
const LANES = 1_024;
/** What is asked of a candidate, since topics may be paused. */
const AWAKE = 'AND m.topic <> ALL (asleep)';
/** Of messages due at one moment so many enter the queue with each lease. */
const ENTER_LOT = 1_000;

/** Not leased, and not waiting; or leased, or made to wait, by a clock that has jumped since. */
const FREE = (row: string) =>
  `(${row}.due_ms <= moment OR ${row}.due_ms > moment + CASE WHEN ${row}.lease IS NULL THEN ${LONGEST_WAIT_MS} ELSE ${LONGEST_HOLD_MS} END)`;

/**
 * The tables and what works on them in one round trip, by schema.
 *
 * `tally` is summed up to count: a row is added with each change and never updated, so that no
 * transaction waits for another one to commit, least of all for yours; now and then its rows are
 * folded into one. Leasing touches only columns without an index, which spares PostgreSQL the work.
 */
export const tables = (schema: string) => `
  CREATE SEQUENCE ${schema}.message_seq;
  CREATE TABLE ${schema}.message (
    seq bigint PRIMARY KEY DEFAULT nextval('${schema}.message_seq'),
    id text NOT NULL UNIQUE,
    state smallint NOT NULL,
    topic text NOT NULL,
    key text,
    headers text NOT NULL,
    body bytea NOT NULL,
    bytes integer NOT NULL,
    accepted_ms bigint NOT NULL,
    start_ms bigint NOT NULL,
    priority smallint NOT NULL,
    due_ms bigint NOT NULL DEFAULT 0,
    lease text,
    deliveries integer NOT NULL DEFAULT 0,
    replays integer NOT NULL DEFAULT 0,
    died_ms bigint,
    reason text,
    history jsonb
  ) WITH (fillfactor = 85, autovacuum_vacuum_scale_factor = 0.05);
  CREATE INDEX message_queued ON ${schema}.message (seq) WHERE state = ${QUEUED};
  CREATE INDEX message_order ON ${schema}.message (topic, key, seq) WHERE state = ${QUEUED} AND key IS NOT NULL;
  CREATE INDEX message_urgent ON ${schema}.message (priority DESC, seq) WHERE state = ${QUEUED} AND priority > 0;
  CREATE INDEX message_scheduled ON ${schema}.message (start_ms, seq) WHERE state = ${SCHEDULED};
  CREATE INDEX message_delivered ON ${schema}.message (seq) WHERE state = ${DELIVERED};
  CREATE INDEX message_dead ON ${schema}.message (seq) WHERE state = ${DEAD};
  CREATE INDEX message_died ON ${schema}.message (died_ms, seq) WHERE state = ${DEAD};

  CREATE TABLE ${schema}.tally (
    queued bigint NOT NULL,
    queued_bytes bigint NOT NULL,
    successful bigint NOT NULL,
    remembered bigint NOT NULL,
    dead bigint NOT NULL
  ) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
  INSERT INTO ${schema}.tally VALUES (0, 0, 0, 0, 0);

  CREATE FUNCTION ${schema}.now_ms() RETURNS bigint LANGUAGE sql STABLE AS
    $$ SELECT (extract(epoch FROM statement_timestamp()) * 1000)::bigint $$;

  CREATE FUNCTION ${schema}.noted(history jsonb, what text, detail text) RETURNS jsonb LANGUAGE sql STABLE AS $$
    SELECT jsonb_agg(entry ORDER BY place) FROM (
      SELECT entry, place FROM jsonb_array_elements(coalesce(history, '[]') || jsonb_build_array(jsonb_build_object(
        'at', to_char(to_timestamp(${schema}.now_ms() / 1000.0) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
        'what', what, 'detail', detail))) WITH ORDINALITY AS e (entry, place)
      ORDER BY place DESC LIMIT 20) AS latest
  $$;

  ${leaseFunction(schema, 'of all topics')}

  ${replayFunction(schema, 'replays = replays + 1')}
`;

/**
 * Version 2: leasing may name topics, and a replay counts deliveries anew. The function without topics
 * stays, for processes of version 1 that go on.
 */
export const forJobs = (schema: string) => `
  ${leaseFunction(schema, 'of some topics')}
  ${replayFunction(schema, 'replays = replays + 1, deliveries = 0')}
`;

/** Version 3: what is said of a job. It counts while its lease is the row's, so that the function above can stay. */
const forProgress = (schema: string) => `
  ALTER TABLE ${schema}.message ADD COLUMN progress text, ADD COLUMN progress_of text;
`;

/**
 * Version 4: topics that are paused, lifetimes, and waits that are longer than leases. The functions are put in the place
 * of those before, so that the processes of earlier versions heed pauses, too. Who was given the right to use the other
 * tables is given it here.
 */
const forPauses = (schema: string) => `
  ALTER TABLE ${schema}.message ADD COLUMN expire_ms bigint;
  CREATE TABLE ${schema}.paused (topic text PRIMARY KEY, since_ms bigint NOT NULL, until_ms bigint);
  DO $$
    DECLARE
      user_of record;
    BEGIN
      FOR user_of IN
        SELECT DISTINCT grantee FROM pg_class, aclexplode(relacl)
        WHERE pg_class.oid = '${schema}.message'::regclass AND privilege_type = 'UPDATE'
      LOOP
        EXECUTE 'GRANT SELECT, INSERT, UPDATE, DELETE ON ${schema}.paused TO '
          || CASE WHEN user_of.grantee = 0 THEN 'PUBLIC' ELSE user_of.grantee::regrole::text END;
      END LOOP;
    END
  $$;
  ${leaseFunction(schema, 'of all topics', AWAKE)}
  ${leaseFunction(schema, 'of some topics', AWAKE)}
  ${replayFunction(schema, 'replays = replays + 1, deliveries = 0, expire_ms = NULL')}
`;

/** Of each topic so many times what is asked for is looked at: others may have locked the first of them. */
const LOOK_AHEAD = 3;

/**
 * Beside the versions, see `topic-leasing.ts`. It looks at the first messages of each topic, by an index, and not at those of others: the heap of
 * a topic that is at its limit, or that nobody handles, costs the others nothing. Where not all that it looked at is free,
 * for others have locked it or its key, the function beside it is asked, which looks at all in order.
 */
export const forTopics = (schema: string) => `
  CREATE INDEX message_topic ON ${schema}.message (topic, seq) WHERE state = ${QUEUED};
  ${firstOfFunction(schema)}
  ${leaseFunction(schema, 'of the first of some topics')}
`;

/** Version 2 of what is beside the versions: as version 4 of those. */
export const forPausedTopics = (schema: string) => `
  ${firstOfFunction(schema)}
  ${leaseFunction(schema, 'of the first of some topics', AWAKE)}
`;

/** `allSteps(schema)[n]` turns version n into n + 1. */
export const allSteps = (schema: string): readonly string[] => [
  tables(schema),
  forJobs(schema),
  forProgress(schema),
  forPauses(schema),
  forReplacing(schema) + plannedFunctions(schema),
];

/**
 * The topic is told as a range, and in the order: of what is equal PostgreSQL drops both, and once it has counted few topics
 * it takes the index of `seq` alone, which passes the heap of every other topic.
 */
function firstOfFunction(schema: string): string {
  return `
  CREATE OR REPLACE FUNCTION ${schema}.first_of(most integer, named text[], moment bigint) RETURNS bigint[] LANGUAGE sql STABLE
  SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off AS $$
    SELECT coalesce(array_agg(f.seq), '{}')
    FROM (SELECT DISTINCT topic FROM unnest(named) AS u (topic)) AS n CROSS JOIN LATERAL (
      SELECT m.seq FROM ${schema}.message AS m
      WHERE m.state = ${QUEUED} AND m.priority = 0 AND m.topic BETWEEN n.topic AND n.topic AND ${FREE('m')}
      ORDER BY m.topic, m.seq LIMIT most * ${LOOK_AHEAD}) AS f
  $$;`;
}

function replayFunction(schema: string, changes: string): string {
  return `
  CREATE OR REPLACE FUNCTION ${schema}.replay(given text[]) RETURNS integer LANGUAGE plpgsql AS $$
    DECLARE
      letter record;
      done integer := 0;
      size bigint := 0;
    BEGIN
      FOR letter IN
        SELECT m.seq, m.bytes FROM ${schema}.message AS m
        JOIN (SELECT id, min(place) AS place FROM unnest(given) WITH ORDINALITY AS g (id, place) GROUP BY id) AS g USING (id)
        WHERE m.state = ${DEAD} ORDER BY g.place FOR UPDATE OF m
      LOOP
        UPDATE ${schema}.message SET seq = nextval('${schema}.message_seq'), state = ${QUEUED}, reason = NULL,
          died_ms = NULL, ${changes}, history = ${schema}.noted(history, 'replayed', '')
          WHERE seq = letter.seq;
        done := done + 1;
        size := size + letter.bytes;
      END LOOP;
      IF done > 0 THEN
        INSERT INTO ${schema}.tally VALUES (done, size, 0, 0, -done);
      END IF;
      RETURN done;
    END
  $$;`;
}

/** Up to so many, looking at each one's predecessors costs less than a batch that comes out too small. */
const LOOK_BACK = 100;

const OF_NAMED = 'AND (named IS NULL OR m.topic = ANY (named))';

/** What differs in the functions that lease. */
const WHICH = {
  'of all topics': () => ({
    name: 'lease',
    ...{ parameter: '', wanted: '', wantedUrgent: '', first: '', instead: '' },
  }),
  'of some topics': () => ({
    name: 'lease',
    ...{ parameter: ', named text[]', wanted: OF_NAMED, wantedUrgent: OF_NAMED },
    ...{ first: '', instead: '' },
  }),
  'of the first of some topics': (schema: string) => ({
    name: 'lease_of',
    ...{ parameter: ', named text[]', wanted: 'AND m.seq = ANY (first)', wantedUrgent: OF_NAMED },
    first: `
      first bigint[];`,
    instead: `
      IF cardinality(chosen) < most AND cardinality(first) > cardinality(others) THEN
        RETURN QUERY SELECT * FROM ${schema}.lease(most, hold_ms, holder, named);
        RETURN;
      END IF;`,
  }),
} as const;

/**
 * Two steps, each with an eye of its own on the table. The first locks free rows that nobody else has
 * locked, and the keys they belong to; the second looks again, now that no other process can lease
 * messages of these keys, and takes only those with nothing left before them: what stands at the same
 * place in the batch and in the queue of its key. A message that was given back in the meantime still
 * comes before those behind it.
 *
 * Its plans are kept by the session, often from when the table was empty and reading all of it was
 * cheapest: so they must use the indexes. What is asked of every candidate is one look into an index:
 * a million messages of one key may wait.
 */
function leaseFunction(
  schema: string,
  which: keyof typeof WHICH,
  awake: '' | typeof AWAKE = '',
): string {
  const { name, parameter, wanted, wantedUrgent, first, instead } = WHICH[which](schema);
  const asleep =
    awake &&
    `\n      asleep text[] := ARRAY(SELECT topic FROM ${schema}.paused WHERE coalesce(until_ms > moment, true));`;
  const looked = awake
    ? 'ARRAY(SELECT n FROM unnest(named) AS n WHERE n <> ALL (asleep))'
    : 'named';
  const fill = first && `      first := ${schema}.first_of(most, ${looked}, moment);\n`;
  const ofKey = (row: string, more: string) =>
    `FROM ${schema}.message AS e WHERE e.state = ${QUEUED} AND e.key IS NOT NULL AND e.topic = ${row}.topic AND e.key = ${row}.key ${more}`;
  return `
  CREATE OR REPLACE FUNCTION ${schema}.${name}(most integer, hold_ms bigint, holder text${parameter}) RETURNS SETOF ${schema}.message LANGUAGE plpgsql
  SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off AS $$
    DECLARE
      moment bigint := ${schema}.now_ms();
      space integer := hashtext('${schema}');${asleep}
      entering bigint;
      urgent bigint[];
      others bigint[];
      chosen bigint[];${first}
    BEGIN
      IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'messages are leased under READ COMMITTED, not %', upper(current_setting('transaction_isolation'))
          USING ERRCODE = 'feature_not_supported';
      END IF;
      IF EXISTS (SELECT 1 FROM ${schema}.message WHERE state = ${SCHEDULED} AND start_ms <= moment)
        AND pg_try_advisory_xact_lock(space, -1) THEN
        FOR entering IN
          SELECT seq FROM ${schema}.message WHERE state = ${SCHEDULED} AND start_ms <= moment
          ORDER BY start_ms, seq LIMIT greatest(most, ${ENTER_LOT}) FOR UPDATE SKIP LOCKED
        LOOP
          UPDATE ${schema}.message SET seq = nextval('${schema}.message_seq'), state = ${QUEUED},
            accepted_ms = start_ms, start_ms = 0 WHERE seq = entering;
        END LOOP;
      END IF;

${fill}      SELECT coalesce(array_agg(seq), '{}') INTO urgent FROM (
        SELECT m.seq FROM ${schema}.message AS m
        WHERE m.state = ${QUEUED} AND m.priority > 0 AND ${FREE('m')} ${wantedUrgent} ${awake}
        ORDER BY m.priority DESC, m.seq LIMIT most FOR UPDATE SKIP LOCKED) AS u;
      SELECT coalesce(array_agg(seq), '{}') INTO others FROM (
        SELECT m.seq FROM ${schema}.message AS m
        WHERE m.state = ${QUEUED} AND m.priority = 0 AND ${FREE('m')} ${wanted} ${awake} AND CASE
          WHEN m.key IS NULL THEN true
          WHEN (SELECT NOT ${FREE('e')} ${ofKey('m', 'ORDER BY e.seq LIMIT 1')}) THEN false
          WHEN NOT pg_try_advisory_xact_lock(space, hashtext(m.topic || chr(31) || m.key) & ${LANES - 1}) THEN false
          WHEN most > ${LOOK_BACK} THEN true
          ELSE NOT EXISTS (SELECT 1 ${ofKey('m', `AND e.seq < m.seq AND NOT ${FREE('e')}`)}) END
        ORDER BY m.seq LIMIT most - cardinality(urgent) FOR UPDATE SKIP LOCKED) AS o;
      chosen := urgent || others;${instead}
      IF cardinality(chosen) = 0 THEN
        RETURN;
      END IF;
      RETURN QUERY WITH mine AS MATERIALIZED (
        SELECT m.seq, m.topic, m.key, row_number() OVER (PARTITION BY m.topic, m.key ORDER BY m.seq) AS place
        FROM ${schema}.message AS m WHERE m.seq = ANY (chosen) AND m.key IS NOT NULL
      ), line AS MATERIALIZED (
        SELECT q.seq, q.place FROM (SELECT topic, key, count(*) AS held FROM mine GROUP BY topic, key) AS k
        CROSS JOIN LATERAL (
          SELECT f.seq, row_number() OVER (ORDER BY f.seq) AS place
          FROM (SELECT e.seq ${ofKey('k', 'ORDER BY e.seq LIMIT k.held')}) AS f) AS q
      ) UPDATE ${schema}.message AS m
        SET lease = holder, due_ms = moment + hold_ms, deliveries = m.deliveries + 1
        WHERE m.seq = ANY (chosen) AND m.state = ${QUEUED} AND ${FREE('m')}
          AND (m.key IS NULL OR m.seq IN (SELECT mine.seq FROM mine JOIN line USING (seq, place)))
        RETURNING m.*;
    END
  $$;`;
}

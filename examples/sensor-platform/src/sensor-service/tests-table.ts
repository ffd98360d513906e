import type { Database } from '../service/database.ts';

/** A test as its row says. */
export interface SensorTest {
  readonly id: string;
  readonly sensor_type: string;
  readonly status: 'processing' | 'completed' | 'failed';
  readonly result: object | null;
  readonly reason: string | null;
}

/** What a worker found out about one test. */
export interface Outcome {
  readonly id: string;
  readonly status: 'completed' | 'failed';
  readonly result: object | null;
  readonly reason: string | null;
}

/** An event that waits to be handed to event-service. */
export interface OutgoingEvent {
  readonly position: string;
  readonly body: object;
}

/** A worker that says nothing for this long is taken for dead, and its tests go to another. */
const LEASE_SECONDS = 5;

/** The tables: `tests` is also the queue of what is to be done, `outgoing_events` the outbox. */
export async function makeTables(database: Database): Promise<void> {
  await database.query(`
    CREATE TABLE IF NOT EXISTS tests (
      id uuid PRIMARY KEY,
      sensor_type text NOT NULL,
      requested_by text NOT NULL,
      status text NOT NULL DEFAULT 'processing',
      result jsonb,
      reason text,
      created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
      finished_at timestamptz,
      leased_until timestamptz NOT NULL DEFAULT '-infinity'
    );
    CREATE INDEX IF NOT EXISTS tests_to_do ON tests (created_at) WHERE status = 'processing';
    CREATE TABLE IF NOT EXISTS outgoing_events (
      position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      body jsonb NOT NULL
    )`);
}

/** Resolves when the test is on disk: from then on it will be done, whatever is killed. */
export async function addTest(
  database: Database,
  test: { id: string; sensorType: string; requestedBy: string },
): Promise<void> {
  // The same id again is the same request again, sent by someone who got no answer.
  await database.query(
    'INSERT INTO tests (id, sensor_type, requested_by) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING',
    [test.id, test.sensorType, test.requestedBy],
  );
}

export async function findTest(database: Database, id: string): Promise<SensorTest | undefined> {
  const [test] = await database.query<SensorTest>(
    'SELECT id, sensor_type, status, result, reason FROM tests WHERE id = $1',
    [id],
  );
  return test;
}

/** Takes up to `limit` tests that nobody works on, oldest first. */
export async function leaseTests(database: Database, limit: number): Promise<SensorTest[]> {
  return database.query<SensorTest>(
    `UPDATE tests SET leased_until = clock_timestamp() + make_interval(secs => $2)
     WHERE id IN (
       SELECT id FROM tests
       WHERE status = 'processing' AND leased_until < clock_timestamp()
       ORDER BY created_at LIMIT $1 FOR UPDATE SKIP LOCKED)
     RETURNING id, sensor_type, status, result, reason`,
    [limit, LEASE_SECONDS],
  );
}

/**
 * Writes results and their events in one statement, so in one transaction:
 * there is an event exactly if there is a result. A test that another worker
 * has finished meanwhile is left alone, and gets no second event.
 */
export async function finishTests(database: Database, outcomes: readonly Outcome[]): Promise<void> {
  await database.query(
    `WITH outcome AS (
       SELECT * FROM jsonb_to_recordset($1::jsonb)
         AS o(id uuid, status text, result jsonb, reason text)
     ), finished AS (
       UPDATE tests t SET status = o.status, result = o.result, reason = o.reason,
                          finished_at = clock_timestamp()
       FROM outcome o WHERE t.id = o.id AND t.status = 'processing'
       RETURNING t.*
     )
     INSERT INTO outgoing_events (body)
     SELECT jsonb_build_object(
       'id', gen_random_uuid(), 'test_id', id, 'type', 'sensor.test.' || status,
       'at', to_char(finished_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
       'sensor_type', sensor_type, 'result', result, 'reason', reason)
     FROM finished ORDER BY created_at`,
    [JSON.stringify(outcomes)],
  );
}

export async function nextEvents(database: Database, limit: number): Promise<OutgoingEvent[]> {
  return database.query<OutgoingEvent>(
    'SELECT position, body FROM outgoing_events ORDER BY position LIMIT $1',
    [limit],
  );
}

export async function dropEvents(database: Database, positions: readonly string[]): Promise<void> {
  await database.query('DELETE FROM outgoing_events WHERE position = ANY($1::bigint[])', [
    positions,
  ]);
}

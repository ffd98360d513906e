import type { Clock, Timer } from '@holdfast/core';
import type { Logger } from '@holdfast/telemetry/log';
import type { PostgresPool } from './postgres-pool.ts';

export interface SweepOptions {
  readonly clock: Clock;
  readonly log: Logger;
  readonly component: string;
  readonly intervalMs: number;
  readonly metadataTable: string;
  /** Where the moment of the last sweep is kept, for all sidecars together. */
  readonly key: string;
  readonly deleteExpired: string;
}

/** Clocks of several sidecars tick a little apart; this much too early is not too early. */
const TOLERANCE_MS = 100;

export interface Sweep {
  /** Resolves when none runs any more. */
  close(): Promise<void>;
}

/** Deletes what has expired, every so often, by one of all sidecars that share the table, as Dapr's do. */
export function sweepExpired(pool: PostgresPool, options: SweepOptions): Sweep {
  const { clock, component, deleteExpired, intervalMs, key, log, metadataTable } = options;
  let closed = false;
  let timer: Timer | undefined;
  let running: Promise<void> = Promise.resolve();
  // Its row is written where it is old enough: who writes it has the turn.
  const turn = `
INSERT INTO ${metadataTable} (key, value) VALUES ($1, now()::text)
ON CONFLICT (key) DO UPDATE SET value = now()::text
  WHERE (EXTRACT('epoch' FROM now() - ${metadataTable}.value::timestamp with time zone) * 1000)::bigint > $2`;

  const sweep = async () => {
    const { count } = await pool.query(turn, [key, Math.max(0, intervalMs - TOLERANCE_MS)]);
    if (count > 0) await pool.query(deleteExpired);
  };
  const arm = () => {
    if (closed) return;
    timer = clock.timer(intervalMs, () => {
      running = sweep().then(arm, (error: Error) => {
        log.warn(`component ${component}: expired items stay a while longer: ${error.message}`);
        arm();
      });
    });
  };
  arm();
  return {
    async close() {
      closed = true;
      timer?.cancel();
      await running;
    },
  };
}

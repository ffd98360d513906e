import {
  bulkhead,
  type Clock,
  pipeline,
  type Random,
  retry,
  systemClock,
  systemRandom,
  timeout,
} from '@holdfast/core';
import type { Database } from '../service/database.ts';
import { readSensor, SENSORS } from './sensors.ts';
import { finishTests, leaseTests, type Outcome, type SensorTest } from './tests-table.ts';

/** Tests taken at once: one statement and one flush for all of them. */
const BATCH = 100;

/**
 * One round of the worker: takes tests that wait, also those a killed process
 * left behind, reads their sensors, and writes results and events.
 *
 * @returns a function that says whether there was anything to do
 */
export function testWorker(
  database: Database,
  { clock = systemClock, random = systemRandom }: { clock?: Clock; random?: Random } = {},
): () => Promise<boolean> {
  const readings = pipeline('sensor-reading', [
    bulkhead({ limit: 20, queueLimit: BATCH }),
    retry({ maxRetries: 2, delayMs: 50 }),
    timeout({ limitMs: 500 }),
  ]);

  const measure = async ({ id, sensor_type }: SensorTest): Promise<Outcome> => {
    try {
      const sensor = SENSORS[sensor_type] ?? 'broken';
      const result = await readings.execute(({ signal }) =>
        readSensor(sensor, { clock, random, signal }),
      );
      return { id, status: 'completed', result, reason: null };
    } catch (error) {
      return { id, status: 'failed', result: null, reason: (error as Error).message };
    }
  };

  return async () => {
    const tests = await leaseTests(database, BATCH);
    if (tests.length === 0) return false;
    await finishTests(database, await Promise.all(tests.map(measure)));
    return true;
  };
}

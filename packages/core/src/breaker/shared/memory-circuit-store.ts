import { checkInteger, checkMethods } from '../../check.ts';
import { type Clock, systemClock } from '../../clock.ts';
import { Lru } from '../../lru.ts';
import type { CircuitStore } from './circuit-store.ts';
import { exchange, newRecord, type SharedRecord } from './shared-record.ts';

/**
 * Shares circuits within one process: for tests, and for several pipelines to
 * one dependency. `maxCircuits`: of more, the least used begins anew.
 */
export function memoryCircuitStore({
  clock = systemClock,
  maxCircuits = 10_000,
}: {
  readonly clock?: Clock;
  readonly maxCircuits?: number;
} = {}): CircuitStore {
  checkMethods('memoryCircuitStore.clock', clock, 'now');
  checkInteger('memoryCircuitStore.maxCircuits', maxCircuits, 1, 10_000_000);
  const records = new Lru<string, SharedRecord>(maxCircuits, () => newRecord(clock.now()));
  return {
    exchange: async (circuit, report) => exchange(records.get(circuit), report, clock.now()),
  };
}

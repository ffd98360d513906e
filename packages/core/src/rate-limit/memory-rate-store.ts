import { checkInteger, checkMethods } from '../check.ts';
import { type Clock, systemClock } from '../clock.ts';
import { Lru } from '../lru.ts';
import type { RateStore } from './rate-store.ts';
import { isInTime, type Turns, turnsOf } from './turns.ts';

/** A rate that several pipelines of one process share. `maxKeys`: of more, the least used begins anew. */
export function memoryRateStore({
  clock = systemClock,
  maxKeys = 10_000,
}: {
  readonly clock?: Clock;
  readonly maxKeys?: number;
} = {}): RateStore {
  checkMethods('memoryRateStore.clock', clock, 'now');
  checkInteger('memoryRateStore.maxKeys', maxKeys, 1, 10_000_000);
  const kept = new Lru<string, { turns?: Turns }>(maxKeys, () => ({}));
  return {
    async take(key, rule) {
      const { algorithm, limit, intervalMs, burst, maxWaitMs } = rule;
      const one = kept.get(`${algorithm} ${limit} ${intervalMs} ${burst} ${key}`);
      one.turns ??= turnsOf({ ...rule, warmUpMs: 0 });
      const waitMs = one.turns.take(clock.now(), maxWaitMs);
      return { taken: isInTime(waitMs, maxWaitMs), waitMs };
    },
  };
}

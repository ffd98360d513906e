import { performance } from 'node:perf_hooks';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Clock } from '@holdfast/core';

/** How a process looks and what can be done about it. */
export interface ProcessMemory {
  residentBytes(): number;
  /** 0 … 1, of the time since it was asked last. */
  busy(): number;
  collect(): void;
}

const EVERY_MS = 5_000;
/** Above the least that was ever seen: what a calm sidecar needs for its work stays well below. */
const MORE_BYTES = 40 * 1024 * 1024;
/** A collection takes some 20 ms, which nobody should wait for. */
const BUSY = 0.5;

/**
 * Collects garbage when a burst is over. V8 collects when something is
 * allocated, so that a sidecar that has had large bodies to carry, and then
 * nothing, would keep them for hours. @returns how to end it.
 */
export function giveMemoryBack(clock: Clock, memory: ProcessMemory = processMemory()): () => void {
  let least = memory.residentBytes();
  const look = () => {
    const resident = memory.residentBytes();
    least = Math.min(least, resident);
    if (memory.busy() < BUSY && resident > least + MORE_BYTES) {
      memory.collect();
      // What could not be had now will not be had the next time either.
      least = memory.residentBytes();
    }
    timer = clock.timer(EVERY_MS, look);
  };
  let timer = clock.timer(EVERY_MS, look);
  return () => timer.cancel();
}

/** That of this process. */
export function processMemory(): ProcessMemory {
  let before = performance.eventLoopUtilization();
  let collect: (() => void) | undefined;
  return {
    residentBytes: () => process.memoryUsage.rss(),
    busy() {
      const now = performance.eventLoopUtilization();
      const { utilization } = performance.eventLoopUtilization(now, before);
      before = now;
      return utilization;
    },
    collect() {
      if (collect === undefined) {
        // The function is in a context of its own: no other code finds it.
        setFlagsFromString('--expose-gc');
        collect = runInNewContext('gc') as () => void;
        setFlagsFromString('--no-expose-gc');
      }
      collect();
    },
  };
}

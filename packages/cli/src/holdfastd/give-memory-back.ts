import { performance } from 'node:perf_hooks';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Clock } from '@holdfast/core';

/** How a process looks and what can be done about it. */
export interface ProcessMemory {
  residentBytes(): number;
  /** 0 … 1, of the time since it was asked last. */
  busy(): number;
  /** `all`: what only a process with nothing to do has the time to look for, too. */
  collect(all: boolean): void;
}

const MIB = 1024 * 1024;

/** Begins soon: what a start has left is a tenth of a sidecar that has nothing to do. */
const FIRST_MS = 1_000;
const EVERY_MS = 5_000;

/** Above the least that was ever seen: what a calm sidecar needs for its work stays well below. */
const MORE_BYTES = 40 * MIB;
/** A collection takes some 20 ms, which nobody should wait for. */
const BUSY = 0.5;

/** Below this a pause of 60 ms once after a burst is no matter either. */
const QUIET = 0.2;

/** Of all there is it takes 30 to 60 ms, and is for those that do nothing but answer probes. */
const IDLE = 0.02;
/** More than a young generation that has grown to its full size, or each short wave of calls would end in one. */
const MORE_WHEN_IDLE_BYTES = 16 * MIB;

/**
 * Collects garbage when a burst is over. V8 collects when something is
 * allocated, so that a sidecar that has had large bodies to carry, and then
 * nothing, would keep them for hours. @returns how to end it.
 */
export function giveMemoryBack(clock: Clock, memory: ProcessMemory = processMemory()): () => void {
  let least = memory.residentBytes();
  /** After the last collection of what is quickly found. More may be had once there is less to do. */
  let skimmed = Number.NEGATIVE_INFINITY;
  /** After the last collection of all there is. */
  let settled = Number.NEGATIVE_INFINITY;
  const look = () => {
    const resident = memory.residentBytes();
    const busy = memory.busy();
    least = Math.min(least, resident);
    if (busy < IDLE && resident > settled + MORE_WHEN_IDLE_BYTES) {
      memory.collect(true);
      settled = memory.residentBytes();
      least = settled;
    } else if (busy < QUIET && resident > least + MORE_BYTES) {
      memory.collect(true);
      // What could not be had now will not be had the next time either.
      least = memory.residentBytes();
    } else if (busy < BUSY && resident > Math.max(least, skimmed) + MORE_BYTES) {
      memory.collect(false);
      skimmed = memory.residentBytes();
    }
    timer = clock.timer(EVERY_MS, look);
  };
  let timer = clock.timer(FIRST_MS, look);
  return () => timer.cancel();
}

/** What V8 has under `--expose-gc`. */
type Collect = (how?: { readonly type: 'major'; readonly flavor: 'last-resort' }) => void;

/** That of this process. */
export function processMemory(): ProcessMemory {
  let before = performance.eventLoopUtilization();
  let collect: Collect | undefined;
  let resident = Number.POSITIVE_INFINITY;
  return {
    residentBytes() {
      try {
        resident = process.memoryUsage.rss();
      } catch {
        // It is read from a file, and there may be no descriptor to spare for it: what was known stays.
      }
      return resident;
    },
    busy() {
      const now = performance.eventLoopUtilization();
      const { utilization } = performance.eventLoopUtilization(now, before);
      before = now;
      return utilization;
    },
    collect(all) {
      if (collect === undefined) {
        // The function is in a context of its own: no other code finds it.
        setFlagsFromString('--expose-gc');
        collect = runInNewContext('gc') as Collect;
        setFlagsFromString('--no-expose-gc');
      }
      if (all) collect({ type: 'major', flavor: 'last-resort' });
      else collect();
    },
  };
}

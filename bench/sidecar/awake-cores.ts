import { closeSync, openSync, writeSync } from 'node:fs';

/** Linux: as long as it is open and says 0, a core that has nothing to do waits without falling asleep. */
const DOOR = '/dev/cpu_dma_latency';

/**
 * Keeps this machine's cores awake, as `cyclictest` and profiles for low latency do, until the returned function is
 * called; undefined where it may not. At one connection each of the six times that a process hands over to the next
 * wakes a core: on virtual machines that is tens of microseconds, more than what either sidecar does in between.
 */
export function keepCoresAwake(): (() => void) | undefined {
  try {
    const door = openSync(DOOR, 'w');
    writeSync(door, new Uint8Array(4));
    return () => closeSync(door);
  } catch {
    return undefined;
  }
}

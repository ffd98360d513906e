import { setImmediate as turn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

// So that nobody has to remember a flag of node's.
setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** Bytes that live on the heap and in buffers once all that nobody holds has been collected. */
export async function settledHeap(): Promise<number> {
  // A finalizer may let go of more; what it held is garbage by the next round.
  for (let round = 0; round < 2; round += 1) {
    collect();
    await turn();
  }
  const { arrayBuffers, heapUsed } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

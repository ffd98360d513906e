import { readFileSync } from 'node:fs';

/**
 * What a process has spent: time on a core, and time waiting for anything but a core. A busy machine
 * lengthens neither, so that a mutant is not taken for an endless one because others have the cores.
 */
export interface Spent {
  readonly busyMs: number;
  readonly idleMs: number;
}

/** Of the main thread of a process that began `ageMs` ago; undefined where the system does not say. */
export function spentBy(pid: number | 'self', ageMs: number): Spent | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/schedstat`, 'utf8');
    const [ranNs, queuedNs] = stat.split(' ').map(Number);
    const busyMs = ranNs! / 1e6;
    return { busyMs, idleMs: Math.max(0, ageMs - busyMs - queuedNs! / 1e6) };
  } catch {
    // Not Linux, or the process has just ended.
    return undefined;
  }
}

/** Every process starts and loads most of core, which in one process happens once. */
const START_MS = 120;

/** How much a mutant's process may spend on test files that spent so much each without the mutant. */
export function limitOf(files: readonly string[], spent: Readonly<Record<string, Spent>>): Spent {
  let busyMs = 1_500;
  // Reading files and being held back by a container count as idle.
  let idleMs = 20_000;
  for (const file of files) {
    busyMs += 2 * Math.max(0, (spent[file]?.busyMs ?? 0) - START_MS);
    idleMs += 2 * (spent[file]?.idleMs ?? 0);
  }
  return { busyMs, idleMs };
}

import type { Clock } from '@holdfast/core';
import { isSameProcess, signalProcess } from '../supervisor/process/process-identity.ts';
import { foldersIn, removeOldDrafts, removeRunFolder } from './run-folder.ts';
import { isLive, type RunRecord, readRecord } from './run-record.ts';
import { leaveRun, type StateHome } from './state-home.ts';

/** How long an orphan may take to end by itself. */
const ORPHAN_MS = 3_000;

/**
 * Ends what runs left behind whose supervisor was killed, and removes their
 * folders. Only processes that are provably the ones the record names are
 * touched: same pid, same beginning. Returns the names of what was ended.
 */
export async function clearLeftovers(
  home: StateHome,
  runs: string,
  clock: Clock,
): Promise<readonly string[]> {
  removeOldDrafts(runs, clock);
  const ended: string[] = [];
  for (const folder of foldersIn(runs)) {
    const record = readRecord(folder);
    if (record === undefined || isLive(record)) continue;
    ended.push(...(await endOrphans(record, clock)));
    leaveRun(home, folder);
    removeRunFolder(folder);
  }
  return ended;
}

/** Ends the recorded processes that still live: asked first, then killed, with their groups. */
export async function endOrphans(record: RunRecord, clock: Clock): Promise<readonly string[]> {
  const orphans = record.processes.filter(lives);
  for (const { pid } of orphans) signalProcess(pid!, 'SIGTERM');
  const beganMs = clock.now();
  while (orphans.some(lives) && clock.now() - beganMs < ORPHAN_MS) await clock.sleep(20);
  for (const orphan of orphans) {
    if (lives(orphan)) signalProcess(orphan.pid!, 'SIGKILL');
    signalProcess(orphan.pid!, 'SIGKILL', true);
  }
  return orphans.map((orphan) => orphan.name);
}

function lives({ pid, identity }: RunRecord['processes'][number]): boolean {
  return pid !== null && isSameProcess(pid, identity ?? undefined);
}

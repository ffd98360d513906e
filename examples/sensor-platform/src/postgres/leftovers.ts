import { readdir, readFile, readlink, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '@holdfast/core';

const POLL_MS = 50;
const PATIENCE_MS = 5_000;

/** What `postmaster.pid` says of the server that wrote it. */
export interface PostmasterFile {
  readonly pid: number;
  /** System V shared memory, which a new server must find unused. */
  readonly sharedMemoryId: number | undefined;
}

/**
 * Clears what a killed server left, so that a new one may start.
 *
 * SIGKILL takes the postmaster alone. Its backends notice and end by
 * themselves, most at once; until the last has, shared memory is in use and a
 * new server refuses. One that is still busy after five seconds is ended.
 * Works on Linux, which tells who uses what; elsewhere the server's own checks decide.
 */
export async function clearLeftovers(data: string, clock: Clock): Promise<void> {
  const file = await readFile(join(data, 'postmaster.pid'), 'utf8').catch(() => undefined);
  if (file === undefined) return;
  const old = readPostmasterFile(file);

  const running = await processesIn(data);
  if (running.includes(old.pid)) {
    throw new Error(`The database in ${data} is already running, as process ${old.pid}.`);
  }
  const deadline = clock.now() + PATIENCE_MS;
  while (await inUse(old.sharedMemoryId)) {
    if (clock.now() > deadline) for (const pid of await processesIn(data)) end(pid);
    await clock.sleep(POLL_MS);
  }
  // The number may have gone to another process by now; the file would then stop the start.
  await rm(join(data, 'postmaster.pid'), { force: true });
}

/** Its lines are: pid, data directory, start time, port, socket directory, address, "key id", status. */
export function readPostmasterFile(text: string): PostmasterFile {
  const lines = text.split('\n');
  const id = lines[6]?.trim().split(/\s+/)[1];
  return { pid: Number(lines[0]), sharedMemoryId: id === undefined ? undefined : Number(id) };
}

/** How many processes hold a segment, read from Linux's table of them (/proc/sysvipc/shm). */
export function attachments(table: string, id: number): number {
  const [head = '', ...rows] = table.trim().split('\n');
  const names = head.trim().split(/\s+/);
  for (const row of rows) {
    const cells = row.trim().split(/\s+/);
    if (Number(cells[names.indexOf('shmid')]) === id) return Number(cells[names.indexOf('nattch')]);
  }
  return 0;
}

async function inUse(id: number | undefined): Promise<boolean> {
  if (id === undefined) return false;
  return attachments(await readFile('/proc/sysvipc/shm', 'utf8').catch(() => ''), id) > 0;
}

/** Every process of a server works in its data directory; nothing else does. */
async function processesIn(data: string): Promise<number[]> {
  const pids = (await readdir('/proc').catch(() => [])).map(Number).filter(Number.isInteger);
  const folders = await Promise.all(
    pids.map((pid) => readlink(`/proc/${pid}/cwd`).catch(() => undefined)),
  );
  return pids.filter((pid, index) => folders[index] === data && pid !== process.pid);
}

function end(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // Ended by itself in the meantime.
  }
}

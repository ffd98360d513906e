import { execFileSync } from 'node:child_process';
import { procStat, STARTED } from './proc-stat.ts';

/**
 * When a process began, as an opaque text, or undefined when there is none. Pids
 * are used again; a pid and its beginning are one process only.
 */
export function processIdentity(pid: number): string | undefined {
  try {
    if (process.platform === 'linux') {
      const fields = procStat(pid);
      return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[STARTED];
    }
    if (process.platform === 'win32') return isAlive(pid) ? 'alive' : undefined;
    return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim();
  } catch {
    // Neither /proc nor ps knows it: it is gone.
    return undefined;
  }
}

/** Whether `pid` is still the process that `identity` was taken of. */
export function isSameProcess(pid: number, identity: string | undefined): boolean {
  return identity !== undefined && processIdentity(pid) === identity;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Sends a signal (0 only asks) to a process, or to its whole group. False when there is nobody to get it. */
export function signalProcess(pid: number, signal: NodeJS.Signals | 0, group = false): boolean {
  try {
    process.kill(group && process.platform !== 'win32' ? -pid : pid, signal);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // EPERM: a group of another user's processes is not ours to end.
    if (code === 'ESRCH' || code === 'EPERM') return false;
    throw error;
  }
}

import type { Role } from '../../run-file/run-file.ts';

/** `starting` until it is ready; `waiting` between a failure and the restart that follows it. */
export type ProcessState = 'starting' | 'running' | 'stopping' | 'waiting' | 'down';

/** One process of a run, as `holdfast ps --json` prints it. */
export interface ProcessInfo {
  readonly name: string;
  readonly role: Role;
  /** The process itself, not a launcher of it; null while there is none. */
  readonly pid: number | null;
  /** By what they are for: `http`, `metrics`, `sql` … */
  readonly ports: Readonly<Record<string, number>>;
  /** On services and sidecars. */
  readonly app_id?: string;
  readonly state: ProcessState;
}

/** How a process ended: with a status, or by a signal. */
export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** `status 1` or `signal SIGKILL`. */
export function describeExit({ code, signal }: Exit): string {
  return signal === null ? `status ${code}` : `signal ${signal}`;
}

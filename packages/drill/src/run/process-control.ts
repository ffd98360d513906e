/** One process of the system under test, as `holdfast ps --json` tells. */
export interface ProcessInfo {
  readonly name: string;
  readonly role: string;
  /** Null while it is down. */
  readonly pid: number | null;
  readonly ports: Readonly<Record<string, number>>;
  /** On services and their sidecars: whose they are. */
  readonly app_id?: string;
  readonly state: string;
}

/** Whoever started the processes: `holdfast run`, or a test. */
export interface ProcessControl {
  ps(): Promise<readonly ProcessInfo[]>;

  /** Sends SIGKILL to the process, which then stays down until `start`. */
  kill(name: string): Promise<void>;

  /** Starts a process that is down, under the same name and on the same ports. */
  start(name: string): Promise<void>;
}

/** The process of that name; throws an error that lists the names there are. */
export async function findProcess(control: ProcessControl, name: string): Promise<ProcessInfo> {
  const all = await control.ps();
  const found = all.find((info) => info.name === name);
  if (found !== undefined) return found;
  const names = all.map((info) => info.name).join(', ');
  throw new Error(`No process is called "${name}". There are: ${names || 'none'}.`);
}

/** Whether a process with this pid exists, seen from the operating system, not from who started it. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it exists and belongs to somebody else.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

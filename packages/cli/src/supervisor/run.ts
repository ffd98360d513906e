import type { ProcessInfo } from './process/process-info.ts';

/** Why a run ended, and the status a program that ran it should end with. */
export interface RunEnd {
  readonly reason: 'stopped' | 'apps-exited';
  /** 0 … 255: of `apps-exited` the first app's that is not 0; 128 + its number for a signal. */
  readonly status: number;
}

/** The run was stopped, while it started or before it was asked for something. */
export class RunStoppedError extends Error {
  readonly code = 'RUN_STOPPED';

  constructor(name: string) {
    super(`Run "${name}" has been stopped.`);
    this.name = 'RunStoppedError';
  }
}

/** A run file in operation. */
export interface Run {
  /** What `--run` calls it; the second run of a name at the same time gets `-2`. */
  readonly name: string;

  /** What runs, in the order it was started in. */
  ps(): readonly ProcessInfo[];

  /**
   * Sends a signal to one process and to nothing else; SIGKILL by default, which
   * no process can prepare for. Resolves when it has ended. It stays down until
   * `start`, unless its entry says `restart: on-failure`.
   *
   * @throws RangeError naming the processes there are
   */
  kill(name: string, signal?: NodeJS.Signals): Promise<void>;

  /** Starts what is down; resolves when it is ready. Does nothing to what runs. */
  start(name: string): Promise<void>;

  /**
   * Ends one app and then its sidecar, as `stop` ends all; they stay down until `start`.
   *
   * @throws RangeError naming the apps there are
   */
  stopApp(appId: string, options?: { readonly force?: boolean }): Promise<void>;

  /**
   * Ends everything: apps, then sidecars, then the other processes, last one
   * first. `force` kills instead of asking; it also hastens a stop under way.
   */
  stop(options?: { readonly force?: boolean }): Promise<void>;

  /** Resolves when nothing of it runs any more. Never rejects. */
  readonly ended: Promise<RunEnd>;
}

/** How a run is started. */
export interface StartRunOptions {
  /** Hears each line a process writes, but for destinations `file`. @default nobody */
  readonly onLine?: (name: string, line: string) => void;
  /** Hears what the supervisor itself has to say. @default nobody */
  readonly onNote?: (line: string) => void;
  /**
   * Where the run's folder is made. A run with a folder of its own is an island:
   * its sidecars find one another only, not those of the user's other runs.
   *
   * @default `.holdfast/run` beside the run file
   */
  readonly stateDir?: string;
  /** The environment handed down to every process. @default this process's */
  readonly env?: Readonly<Record<string, string>>;
  /** Stops the run when it aborts, also while it starts. */
  readonly signal?: AbortSignal;
  /** Kills everything when it aborts: the second Ctrl-C. */
  readonly forceSignal?: AbortSignal;
  /** End the run when all its apps have ended by themselves, as `holdfast run -- CMD` does. @default false */
  readonly endWithApps?: boolean;
}

import type { ProcessInfo } from '@holdfast/drill';

/** What the drills need to know of a running platform. */
export interface DrillContext {
  /** The gateway: scheme, host, port. */
  readonly baseUrl: string;

  /** The run's own: what `holdfast ps`, `kill` and `start` do. */
  readonly control: DrillControl;

  /** A connection string with its password, for a client of the drill's own. */
  readonly databaseUrl: (name: string) => string;

  /** Gets a directory per run with the client's ledger and the report. @default `.holdfast/drills` in the example's folder */
  readonly directory?: string;

  /** How long the books may take to settle after a drill; only what is lost takes as long. @default 60_000 ms */
  readonly settleLimitMs?: number;

  /** @default to standard output */
  readonly print?: (line: string) => void;

  /** The drill stops, mends what it broke, and only then the promise resolves. @default Ctrl-C and SIGTERM */
  readonly signal?: AbortSignal;
}

/** As `Run` of the package `holdfast` has it; `ps` may answer at once or later. */
export interface DrillControl {
  ps(): readonly ProcessInfo[] | Promise<readonly ProcessInfo[]>;
  kill(name: string): Promise<unknown>;
  start(name: string): Promise<unknown>;
}

import type { Clock } from '@holdfast/core';
import type { Answer, DrillRequest, HttpClient } from '../load/http-client.ts';
import type { LoadSummary, Traffic } from '../load/load.ts';
import type { Submission } from '../load/submission.ts';
import type { Faults } from './faults.ts';
import type { ProcessControl } from './process-control.ts';

/** A real fault on a real system, what must hold meanwhile, and how it comes back. */
export interface Drill<World> {
  /** What is typed to run it: kebab-case. */
  readonly name: string;

  /** One sentence: what breaks, and what must hold. */
  readonly promise: string;

  /** The steps. A step that throws ends the drill with a bad verdict; faults are undone all the same. */
  script(run: DrillRun, world: World): Promise<void>;
}

export interface WaitOptions {
  /** The wait fails after this. Be generous: it bounds a hang, it measures nothing. @default 60_000 ms */
  readonly limitMs?: number;

  /** @default 50 ms */
  readonly everyMs?: number;
}

/**
 * A question asked again and again. Anything but `true` means "not yet": a text
 * says what is missing, an error too; the last of them is shown if time runs out.
 */
export type Probe = () => Promise<boolean | string>;

/** What a drill's script is made of. Every step is printed as it happens and kept for the report. */
export interface DrillRun {
  readonly clock: Clock;

  /** Aborts when the drill is interrupted; then every step throws the reason. */
  readonly signal: AbortSignal;

  /** For questions that are not worth a line, and for probes. */
  readonly http: HttpClient;
  readonly control: ProcessControl;

  /** A comment in the transcript. */
  say(text: string): void;

  /** Sends a request and shows it as a curl command with its answer. */
  request(request: DrillRequest): Promise<Answer>;

  /** Like `request`, for work that may not be lost: kept in the ledger. */
  submit(submission: Submission): Promise<Answer>;

  /** Like `submit`, without a line in the transcript: for probes. */
  submitQuietly(submission: Submission): Promise<Answer>;

  /** SIGKILL to each, one after the other. */
  kill(...names: readonly string[]): Promise<void>;

  /** Starts each again, all at once. */
  start(...names: readonly string[]): Promise<void>;
  pause(name: string): Promise<void>;
  resume(name: string): Promise<void>;

  /**
   * Any other fault, already in effect; the returned function ends it, and so does
   * the end of the drill. `how` is the command, `what` the thing to be released.
   */
  hold(how: string, what: string, release: () => Promise<void>): () => Promise<void>;

  /** What is broken now. */
  readonly faults: Pick<Faults, 'active'>;

  /** ✅ or ❌ with a sentence. A ❌ makes the verdict bad and the script goes on. `seen` is shown with a ❌. */
  check(sentence: string, ok: boolean, seen?: unknown): void;

  /** Waits until the probe says yes; throws when it has not within the limit. */
  waitUntil(sentence: string, probe: Probe, options?: WaitOptions): Promise<void>;

  /**
   * Waits until every goal is reached and notes how long each took, counted
   * from the moment the last fault's end was ordered.
   */
  recovered(goals: Readonly<Record<string, Probe>>, options?: WaitOptions): Promise<void>;

  /** `count` requests at once; waits for all of them. */
  burst(submission: Submission, count: number): Promise<LoadSummary>;

  /** Steady background load until `stop`, or until the script ends. */
  traffic(submission: Submission, perSecond: number): Traffic;
}
